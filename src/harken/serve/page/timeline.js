// The timeline: a window onto the stream that follows the present, or stays where one puts it.

import * as lanes from "./lanes.js";
import { clock } from "./story.js";

const FRAME_MS = 45; // some 20 pictures a second are smooth and leave the processor to the model
const MARGIN = { wide: 150, narrow: 84 }; // pixels that are free on the right of the present
const LANES = { axis: 20, decisions: 34, names: 20, curve: 60, replies: 56 };
const SPECTROGRAM = { least: 180, most: 440, narrow: 168 };
const BELOW = 640; // of the window's height is for everything else
const PX_PER_S = { wide: 56, narrow: 44 };
const NARROW_PX = 640;

export class Timeline {
  /**
   * sent_s(): seconds that were sent. threshold(): in force. onReply(id): its card was clicked.
   * onFollow(isFollowing).
   */
  constructor({ canvas, story, spectrogram, sent_s, threshold, onReply, onFollow }) {
    Object.assign(this, { canvas, story, spectrogram, sent_s, threshold, onReply, onFollow });
    this.context = canvas.getContext("2d");
    this.calm = matchMedia("(prefers-reduced-motion: reduce)");
    this.isFollowing = true;
    this.shown_s = 0; // the present as drawn, a little behind
    this.right_s = 0;
    this.boxes = [];
    new ResizeObserver(() => this.#resize()).observe(canvas);
    addEventListener("resize", () => this.#resize());
    this.#listen();
    this.#resize();
    this.#loop();
  }

  /** Take the colours of the page, again. */
  recolour() {
    const style = getComputedStyle(document.documentElement);
    const names = ["ink", "muted", "reply", "urgent", "sound", "tag", "caption", "quiet", "curve"];
    names.push("curve-fill", "threshold", "card", "veil");
    this.colours = {};
    for (const name of names) {
      const key = name.replace(/-(.)/g, (_, letter) => letter.toUpperCase());
      this.colours[key] = style.getPropertyValue(`--${name}`).trim();
    }
    const stops = style.getPropertyValue("--spectrogram").trim().split(/\s+/);
    this.spectrogram.paint(
      stops.map((hex) => [1, 3, 5].map((i) => parseInt(hex.slice(i, i + 2), 16))),
    );
    this.isStale = true;
  }

  /** Something has changed: draw soon. */
  touch() {
    this.isStale = true;
  }

  /** Begin again at zero. */
  reset() {
    this.shown_s = 0;
    this.follow();
  }

  follow() {
    this.isFollowing = true;
    this.isStale = true;
    this.onFollow(true);
  }

  /** Show a time in the middle. */
  show(time_s) {
    this.#look(time_s + this.span_s / 2);
  }

  get span_s() {
    return this.width / this.px_per_s;
  }

  #resize() {
    const ratio = window.devicePixelRatio || 1;
    this.width = this.canvas.clientWidth;
    const isNarrow = this.width < NARROW_PX;
    const size = isNarrow ? "narrow" : "wide";
    this.px_per_s = PX_PER_S[size];
    this.margin_s = MARGIN[size] / this.px_per_s;
    const room = Math.max(
      SPECTROGRAM.least,
      Math.min(SPECTROGRAM.most, window.innerHeight - BELOW),
    );
    const heights = { spectrogram: isNarrow ? SPECTROGRAM.narrow : room, ...LANES };
    this.heights = heights;
    this.tops = {};
    let top = 0;
    for (const [name, height] of Object.entries(heights)) {
      this.tops[name] = top;
      this.canvas.parentElement.style.setProperty(`--${name}-top`, `${top}px`);
      top += height;
    }
    this.height = top;
    this.canvas.style.height = `${top}px`;
    this.canvas.width = Math.round(this.width * ratio);
    this.canvas.height = Math.round(top * ratio);
    this.context.setTransform(ratio, 0, 0, ratio, 0, 0);
    this.isStale = true;
  }

  #listen() {
    const { canvas } = this;
    canvas.addEventListener("keydown", (event) => {
      const steps = { ArrowLeft: -2, ArrowRight: 2, PageUp: -this.span_s, PageDown: this.span_s };
      if (event.key in steps) this.#look(this.right_s + steps[event.key]);
      else if (event.key === "Home") this.#look(0);
      else if (event.key === "End") this.follow();
      else return;
      event.preventDefault();
    });
    canvas.addEventListener(
      "wheel",
      (event) => {
        const pixels = event.shiftKey ? event.deltaY : event.deltaX;
        if (!pixels) return;
        event.preventDefault();
        this.#look(this.right_s + pixels / this.px_per_s);
      },
      { passive: false },
    );
    canvas.addEventListener("pointerdown", (event) => {
      const { offsetX: x, offsetY: y } = event;
      const box = this.boxes.find(({ left, right }) => left <= x && x <= right);
      if (box && y >= this.tops.replies) return this.onReply(box.id);
      this.drag = { x: event.clientX, right_s: this.right_s };
      canvas.setPointerCapture(event.pointerId);
    });
    canvas.addEventListener("pointermove", (event) => {
      if (!this.drag) return;
      const moved = event.clientX - this.drag.x;
      if (Math.abs(moved) > 3) this.#look(this.drag.right_s - moved / this.px_per_s);
    });
    const drop = () => (this.drag = undefined);
    canvas.addEventListener("pointerup", drop);
    canvas.addEventListener("pointercancel", drop);
  }

  /** Move the window's right edge; at the present it follows again. */
  #look(right_s) {
    const present_s = this.shown_s + this.margin_s;
    if (right_s >= present_s) return this.follow();
    this.right_s = Math.max(Math.min(this.span_s, present_s), right_s);
    this.isFollowing = false;
    this.isStale = true;
    this.onFollow(false);
  }

  #loop() {
    requestAnimationFrame(() => {
      this.#frame();
      setTimeout(() => this.#loop(), FRAME_MS);
    });
  }

  #frame() {
    const target_s = this.sent_s();
    const isMoving = Math.abs(target_s - this.shown_s) > 0.005;
    if (!isMoving && !this.isStale) return;
    this.isStale = false;
    if (this.calm.matches) this.shown_s = target_s;
    else this.shown_s += (target_s - this.shown_s) * 0.3;
    if (this.isFollowing) this.right_s = this.#following_s();
    this.#draw();
  }

  /** With reduced motion the window turns pages instead of moving all the time. */
  #following_s() {
    const right_s = Math.max(this.span_s, this.shown_s + this.margin_s);
    if (!this.calm.matches) return right_s;
    const page_s = this.span_s / 2;
    return this.span_s + Math.ceil((right_s - this.span_s) / page_s) * page_s;
  }

  #draw() {
    if (!this.colours || !this.width) return;
    const { context, story, width, tops, heights } = this;
    const [from_s, to_s] = [this.right_s - this.span_s, this.right_s];
    const x = (time_s) => (time_s - from_s) * this.px_per_s;
    const lane = (name) => ({
      context,
      colours: this.colours,
      width,
      from_s,
      to_s,
      x,
      top: tops[name],
      height: heights[name],
    });
    context.clearRect(0, 0, width, this.height);
    const picture = lane("spectrogram");
    context.save();
    context.beginPath();
    context.rect(0, 0, Math.max(0, x(this.shown_s)), picture.height);
    context.clip();
    this.spectrogram.draw(context, from_s, to_s, 0, 0, width, picture.height);
    context.restore();
    lanes.drawUndecided(picture, story.decided_s, this.shown_s);
    lanes.drawSounds(picture, story.sounds);
    lanes.drawPhrases(picture, story.phrases);
    lanes.drawAxis(lane("axis"));
    lanes.drawDecisions(lane("decisions"), story.chunks);
    lanes.drawCurve(lane("curve"), story.chunks, this.threshold());
    const replies = [...story.replies.values()];
    this.boxes = lanes.drawReplies(lane("replies"), replies, tops.decisions);
    this.canvas.dataset.chunks = story.chunks.length;
    this.canvas.setAttribute("aria-label", this.#inWords(from_s, to_s));
  }

  #inWords(from_s, to_s) {
    const sounds = this.story.sounds.filter((s) => s.end_s > from_s && s.start_s < to_s);
    const names = [...new Set(sounds.map((sound) => sound.name))].slice(-4).join(", ");
    return `Timeline from ${clock(from_s)} to ${clock(to_s)}. Sounds: ${names || "none"}.`;
  }
}
