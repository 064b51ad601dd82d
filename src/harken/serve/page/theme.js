// Light, dark, or as the system has it; the choice is kept in this browser.

const KEY = "harken-theme";
const NEXT = { system: "light", light: "dark", dark: "system" };

export class Theme {
  /** button: goes on to the next theme. onChange(): the colours are others now. */
  constructor({ button, onChange }) {
    Object.assign(this, { button, onChange });
    this.#apply(localStorage.getItem(KEY) ?? "system");
    button.onclick = () => this.#apply(NEXT[this.name]);
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => onChange());
  }

  #apply(name) {
    this.name = name in NEXT ? name : "system";
    localStorage.setItem(KEY, this.name);
    if (this.name === "system") delete document.documentElement.dataset.theme;
    else document.documentElement.dataset.theme = this.name;
    this.button.dataset.theme = this.name;
    this.button.setAttribute("aria-label", `Colours: ${this.name}. Change to ${NEXT[this.name]}.`);
    this.button.title = `Colours: ${this.name}`;
    this.onChange();
  }
}
