// Standing orders: pinned until they are taken away; given before the session they wait for it.

export class Orders {
  /** list: a <ul>; form: with one text input; ideas: buttons whose text is an order. */
  constructor({ list, form, ideas, onAdd, onRemove }) {
    Object.assign(this, { list, ideas, onAdd, onRemove });
    const input = form.querySelector("input");
    form.onsubmit = (event) => {
      event.preventDefault();
      const text = input.value.trim();
      if (text) this.add(text);
      input.value = "";
      input.focus();
    };
    ideas.onclick = ({ target }) => {
      if (target.matches("button")) this.add(target.textContent.trim());
    };
    this.show([]);
  }

  /** orders: [{id, text}]. */
  show(orders) {
    const hadFocus = this.list.contains(document.activeElement);
    this.list.replaceChildren(...orders.map((order) => this.#item(order)));
    this.ideas.hidden = orders.length > 0;
    if (hadFocus) (this.list.querySelector("button") ?? this.list).focus();
  }

  /** What the orders in force say. */
  get texts() {
    const inForce = this.list.querySelectorAll("li:not(.pending) span");
    return [...inForce].map((words) => words.textContent);
  }

  /** Take one off the page. */
  drop(id) {
    this.list.querySelector(`[data-id="${id}"]`)?.remove();
    this.ideas.hidden = this.list.children.length > 0;
  }

  /** On the page at once; the server's list then takes its place. */
  add(text) {
    const item = this.#item({ text });
    item.className = "pending";
    item.lastElementChild.disabled = true;
    this.list.append(item);
    this.ideas.hidden = true;
    this.onAdd(text);
  }

  #item({ id, text }) {
    const item = document.createElement("li");
    if (id) item.dataset.id = id;
    const words = document.createElement("span");
    words.textContent = text;
    const remove = document.createElement("button");
    remove.type = "button";
    remove.className = "remove";
    remove.setAttribute("aria-label", `Remove the order: ${text}`);
    remove.onclick = () => this.onRemove(id);
    item.append(words, remove);
    return item;
  }
}
