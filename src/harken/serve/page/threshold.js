// The threshold of p(respond): a slider that stands on its line in the curve.

const HOLD_MS = 1500; // what one has just set is not overwritten by what is still on its way

export class Threshold {
  /** slider: a vertical <input type=range>; reset: a button; value: text. onSet(number or null). */
  constructor({ slider, reset, value, timeline, onSet }) {
    Object.assign(this, { slider, reset, value, timeline, onSet });
    this.now = undefined; // not known before the first chunk
    this.chosen = null; // null: as the policy has it
    slider.oninput = () => {
      this.held_ms = performance.now();
      this.chosen = Number(slider.value);
      this.#show(this.chosen);
      this.reset.hidden = false;
    };
    slider.onchange = () => onSet(this.chosen);
    reset.onclick = () => {
      this.held_ms = undefined;
      this.chosen = null;
      this.reset.hidden = true;
      slider.focus();
      onSet(null);
    };
  }

  /** What is in force, from the server. */
  take(threshold) {
    const isHeld = this.held_ms && performance.now() - this.held_ms < HOLD_MS;
    if (!isHeld && threshold !== this.now) this.#show(threshold);
  }

  /** What was chosen before the page was loaded; null: as the policy has it. */
  restore(chosen) {
    this.chosen = chosen;
    this.reset.hidden = chosen === null;
  }

  #show(threshold) {
    this.now = threshold;
    this.slider.hidden = false;
    this.slider.value = threshold;
    this.value.textContent = threshold.toFixed(2);
    this.slider.setAttribute("aria-valuetext", `${threshold.toFixed(2)} of 1`);
    this.timeline()?.touch();
  }
}
