// The microphone: every sample of it, never gated by its level and never off while a reply plays.

import { RATE } from "./pcm.js";
import { Resampler } from "./resampler.js";

const CONSTRAINTS = {
  audio: {
    channelCount: 1,
    echoCancellation: true, // so that our own voice is not heard as somebody else's
    noiseSuppression: false, // what it takes away are the sounds we listen for
    autoGainControl: false,
  },
};

export class Microphone {
  /** onSamples(Float32Array at RATE); onEnd() when the device goes away. */
  constructor({ onSamples, onEnd }) {
    this.onSamples = onSamples;
    this.onEnd = onEnd;
  }

  /** Ask for the microphone; this is returned. Throws what the browser throws. */
  async open() {
    if (!navigator.mediaDevices) throw new DOMException("no secure context", "SecurityError");
    try {
      this.stream = await navigator.mediaDevices.getUserMedia(CONSTRAINTS);
      this.context = new AudioContext();
      await this.context.audioWorklet.addModule(new URL("capture-worklet.js", import.meta.url));
      await this.context.resume();
    } catch (error) {
      this.stop();
      throw error;
    }
    return this;
  }

  begin() {
    const capture = new AudioWorkletNode(this.context, "capture", { numberOfOutputs: 0 });
    const resampler = new Resampler(this.context.sampleRate, RATE);
    capture.port.onmessage = ({ data }) => this.onSamples(resampler.push(data));
    this.context.createMediaStreamSource(this.stream).connect(capture);
    this.stream.getAudioTracks()[0].onended = () => this.onEnd();
  }

  stop() {
    this.stream?.getTracks().forEach((track) => track.stop());
    this.context?.close();
    this.stream = this.context = undefined;
  }
}
