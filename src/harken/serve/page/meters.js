// Figures at a glance: how far behind it is, how full its context, how loud the input.

const LAG_FULL_S = 5;
const BEHIND_S = 2;
const QUIET_DB = -70;
const SHED = {
  "words-at-pauses": "busy: words come at pauses",
  "no-acoustic": "busy: tone and music are left out",
};

export class Meters {
  /** Elements with role meter, each with a .meter-fill and a .meter-value; shed: a line of text. */
  constructor({ lag, context, level, shed }) {
    Object.assign(this, { lag, context, level, shed });
    this.clear();
  }

  clear() {
    set(this.lag, 0, "–");
    set(this.context, 0, "–");
    set(this.level, 0, "–");
    this.isBehind = this.lag.dataset.high = false;
    this.shedding("none");
  }

  /** harken.chunk; behind_s: seconds that were sent and are not decided. */
  chunk({ context_ratio, level_db }, behind_s) {
    set(this.lag, behind_s / LAG_FULL_S, `${behind_s.toFixed(1)} s`);
    this.isBehind = behind_s > BEHIND_S;
    this.lag.dataset.high = this.isBehind;
    set(this.context, context_ratio, `${Math.round(100 * context_ratio)} %`);
    set(this.level, 1 - level_db / QUIET_DB, `${Math.round(level_db)} dB`);
  }

  /** harken.lag: what the server leaves out to keep up. */
  shedding(policy) {
    this.shed.textContent = SHED[policy] ?? "";
    this.shed.hidden = !(policy in SHED);
  }
}

function set(meter, ratio, text) {
  const share = Math.max(0, Math.min(1, ratio));
  meter.setAttribute("aria-valuenow", Math.round(100 * share));
  meter.setAttribute("aria-valuetext", text);
  meter.querySelector(".meter-fill").style.width = `${100 * share}%`;
  meter.querySelector(".meter-value").textContent = text;
}
