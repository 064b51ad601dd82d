// Where the stream comes from: the microphone, a file, or one of the server's samples.

import { Microphone } from "./microphone.js";
import { microphoneNotice } from "./notices.js";
import { decodeRecording, Recording } from "./recording.js";

export class Sources {
  /**
   * page: the elements {listen, file, samples, fast, aloud, drop}. onSamples(Float32Array);
   * onBegin(), before the first sample; onState(what): "", or what is heard now; onNotice(name).
   * ahead_s(): seconds that are sent and not decided.
   */
  constructor({ page, onSamples, onBegin, onState, onNotice, ahead_s }) {
    Object.assign(this, { page, onSamples, onBegin, onState, onNotice, ahead_s });
    page.listen.onclick = () => (this.now ? this.stop() : this.#listen());
    page.file.onchange = () => {
      if (page.file.files[0]) this.#play(page.file.files[0], page.file.files[0].name);
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

  stop() {
    this.now?.stop();
    this.now = undefined;
    this.onState("");
  }

  async #listen() {
    const microphone = new Microphone({
      onSamples: this.onSamples,
      onEnd: () => {
        this.stop();
        this.onNotice("micEnded");
      },
    });
    try {
      await microphone.start();
    } catch (error) {
      microphone.stop();
      return this.onNotice(microphoneNotice(error));
    }
    this.#begin(microphone, "the microphone");
  }

  /** Listen to one of the server's samples. */
  async playSample(name) {
    const reply = await fetch(`samples/${encodeURIComponent(name)}`).catch(() => undefined);
    if (!reply?.ok) return this.onNotice("sampleGone");
    this.#play(await reply.blob(), titleOf(name));
  }

  async #play(blob, title) {
    let samples;
    try {
      samples = await decodeRecording(await blob.arrayBuffer());
    } catch {
      return this.onNotice("unreadable");
    }
    const recording = new Recording({
      samples,
      isFast: this.page.fast.checked,
      isAudible: this.page.aloud.checked,
      onSamples: this.onSamples,
      onEnd: () => this.now === recording && this.stop(),
      ahead_s: this.ahead_s,
    });
    this.#begin(recording, title);
    recording.start();
  }

  #begin(source, title) {
    this.now?.stop();
    this.now = source;
    this.onBegin();
    this.onState(title);
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
      if (file) this.#play(file, file.name);
    });
  }
}

/** "owl-counts.flac" -> "owl counts". */
function titleOf(name) {
  return name.replace(/\.\w+$/, "").replace(/[-_]/g, " ");
}
