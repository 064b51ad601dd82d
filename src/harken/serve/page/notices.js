// What went wrong, in plain words, and what to do about it.

const NOTICES = {
  denied:
    "The browser does not let this page use the microphone. Allow it in the address bar " +
    "(the icon beside the address), then press Listen again.",
  noMicrophone: "No microphone was found. Plug one in, or drop a recording instead.",
  micBusy:
    "The microphone is in use by another program. Close that program, then press Listen again.",
  micEnded: "The microphone was unplugged or taken away. Press Listen to go on.",
  insecure:
    "Browsers give the microphone only to pages from this machine or over https. Open the page " +
    "as http://localhost, or start the server with --tls-cert and --tls-key.",
  unreadable: (title) =>
    `There is no sound in “${title}” that this browser can read. Try WAV, FLAC, MP3, Ogg, M4A or MP4.`,
  sampleGone: (title) => `The sample “${title}” could not be fetched. Is the server still running?`,
  broken:
    "The line to the server broke. Trying again; what you say meanwhile is kept for 30 seconds.",
  lost: "The server no longer has this session. A new one has begun with the same orders; earlier replies stay on the page.",
  expired:
    "The server no longer has the session of before. Its replies stay here; press Listen to begin another one with the same orders.",
  elsewhere: "This session goes on in another tab. Press Listen to take it back.",
  gone: "The server does not answer. Check that harken serve is running, then press Listen again.",
  full: "The server is busy with as many sessions as it takes. Wait until one ends, then try again.",
  token: "The server asks for a token. Open the page with ?token=… at the end of its address.",
  origin:
    "The server does not accept this page's address. Start it with --origin and that address.",
  closed: "The server has ended this session. Press Listen to begin another one.",
};

export class Notices {
  /** box: an element with role alert, a <p> and a <button> that closes it. */
  constructor(box) {
    this.box = box;
    this.text = box.querySelector("p");
    box.querySelector("button").onclick = () => this.clear();
  }

  /** Show a notice by its name. about: what it is about, or the text of one that has none here. */
  show(name, about) {
    const text = NOTICES[name] ?? about;
    this.name = name;
    this.text.textContent = typeof text === "function" ? text(about) : text;
    this.box.hidden = false;
  }

  /** Take it away; with names, only when it is one of them. */
  clear(...names) {
    if (names.length && !names.includes(this.name)) return;
    this.box.hidden = true;
    this.name = undefined;
  }
}

/** The name of the notice for what getUserMedia throws. */
export function microphoneNotice(error) {
  const names = {
    NotAllowedError: "denied",
    NotFoundError: "noMicrophone",
    NotReadableError: "micBusy",
    SecurityError: "insecure",
  };
  return names[error.name] ?? "noMicrophone";
}
