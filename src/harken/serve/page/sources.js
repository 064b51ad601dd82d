// Where the stream comes from: the microphone, a file, or one of the server's samples.

import { Microphone } from "./microphone.js";
import { microphoneNotice } from "./notices.js";
import { decodeRecording, Recording } from "./recording.js";

export class Sources {
  /**
   * page: the elements {listen, file, samples, fast, aloud, drop}. onSamples(Float32Array);
   * onBegin(), before the first sample; onState(what, opening): what is heard now and what is
   * being opened, "" for nothing; onNotice(name, title). ahead_s(): seconds that are sent and not
   * decided.
   */
  constructor({ page, onSamples, onBegin, onState, onNotice, ahead_s }) {
    Object.assign(this, { page, onSamples, onBegin, onState, onNotice, ahead_s });
    this.title = "";
    page.listen.onclick = () => (this.now || this.wish ? this.stop() : this.#listen());
    page.file.onchange = () => {
      if (page.file.files[0]) this.#playFile(page.file.files[0]);
      page.file.value = "";
    };
    for (const choice of [page.fast, page.aloud]) choice.onchange = () => this.#change();
    this.#takeDrops(page.drop);
  }

  /** Buttons for the samples that the server has. */
  async offerSamples() {
    const names = await fetch("samples").then(
      (reply) => (reply.ok ? reply.json() : []),
      () => [],
    );
    const buttons = names.map((name) => {
      const button = document.createElement("button");
      button.type = "button";
      button.className = "sample";
      button.textContent = titleOf(name);
      button.onclick = () => this.playSample(name);
      return button;
    });
    this.page.samples.replaceChildren(...buttons);
    this.page.samples.parentElement.hidden = buttons.length === 0;
  }

  /** Nothing is listened to any more, and what is being opened is given up. */
  stop() {
    this.wish = undefined;
    this.#end();
  }

  #end() {
    this.now?.stop();
    this.now = undefined;
    this.title = "";
    this.onState("", this.wish?.title ?? "");
  }

  #listen() {
    const microphone = new Microphone({
      onSamples: this.onSamples,
      onEnd: () => {
        this.#end();
        this.onNotice("micEnded");
      },
    });
    this.#open("the microphone", () => microphone.open(), microphoneNotice);
  }

  /** Listen to one of the server's samples. */
  playSample(name) {
    this.#play(titleOf(name), "sampleGone", async () => {
      const reply = await fetch(`samples/${encodeURIComponent(name)}`);
      if (!reply.ok) throw new Error(reply.statusText);
      return reply.arrayBuffer();
    });
  }

  #playFile(file) {
    this.#play(file.name, "unreadable", () => file.arrayBuffer());
  }

  /** bytes(): of the recording. missing: the notice when there are none. */
  #play(title, missing, bytes) {
    let notice = missing;
    const decoded = async () => {
      const whole = await bytes();
      notice = "unreadable";
      const recording = new Recording({
        samples: await decodeRecording(whole),
        isFast: this.page.fast.checked,
        isAudible: this.page.aloud.checked,
        onSamples: this.onSamples,
        onEnd: () => this.now === recording && this.#end(),
        ahead_s: this.ahead_s,
      });
      return recording;
    };
    this.#open(title, decoded, () => notice);
  }

  /**
   * Listen to what opened() gives, in place of what is heard now, unless something else is wished
   * for in the meantime. noticeOf(error): the name of what to say when it cannot be opened.
   */
  async #open(title, opened, noticeOf) {
    const wish = (this.wish = { title });
    this.onState(this.title, title);
    let source;
    try {
      source = await opened();
    } catch (error) {
      if (this.wish !== wish) return;
      this.wish = undefined;
      this.onState(this.title, "");
      this.onNotice(noticeOf(error), title);
      return;
    }
    if (this.wish !== wish) return source.stop();
    this.wish = undefined;
    this.now?.stop();
    this.now = source;
    this.title = title;
    this.onBegin();
    this.onState(title, "");
    source.begin();
  }

  #change() {
    if (!(this.now instanceof Recording)) return;
    this.now.change({ isFast: this.page.fast.checked, isAudible: this.page.aloud.checked });
  }

  #takeDrops(target) {
    let depth = 0;
    const mark = (change) => {
      depth = Math.max(0, depth + change);
      document.body.classList.toggle("dropping", depth > 0);
    };
    target.addEventListener("dragenter", () => mark(1));
    target.addEventListener("dragleave", () => mark(-1));
    target.addEventListener("dragover", (event) => event.preventDefault());
    target.addEventListener("drop", (event) => {
      event.preventDefault();
      mark(-depth);
      const file = event.dataTransfer.files[0];
      if (file) this.#playFile(file);
    });
  }
}

/** "owl-counts.flac" -> "owl counts". */
function titleOf(name) {
  return name.replace(/\.\w+$/, "").replace(/[-_]/g, " ");
}
