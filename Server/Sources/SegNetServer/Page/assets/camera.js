// The camera as a source of frames.

export class Camera {
  #video = document.createElement("video");
  #stream = null;
  #facing = "environment";

  constructor() {
    this.#video.muted = true;
    this.#video.playsInline = true;
  }

  /** @throws The browser's error when there is no camera or it is not allowed. */
  async start() {
    this.stop();
    this.#stream = await navigator.mediaDevices.getUserMedia({
      audio: false,
      video: { facingMode: this.#facing, width: { ideal: 1280 }, height: { ideal: 720 } },
    });
    this.#video.srcObject = this.#stream;
    await this.#video.play();
  }

  stop() {
    for (const track of this.#stream?.getTracks() ?? []) track.stop();
    this.#stream = null;
    this.#video.srcObject = null;
  }

  /** Whether frames come; false also when the camera was unplugged. */
  get isRunning() {
    return this.#stream?.getVideoTracks()[0]?.readyState === "live";
  }

  /** Whether there is another camera to change to. */
  async hasOther() {
    const devices = await navigator.mediaDevices.enumerateDevices();
    return devices.filter(({ kind }) => kind === "videoinput").length > 1;
  }

  async change() {
    this.#facing = this.#facing === "environment" ? "user" : "environment";
    await this.start();
  }

  /** The present frame on a canvas of its own, at most width x height. Without limits, at the camera's size. */
  frame(width = Infinity, height = Infinity) {
    const video = this.#video;
    const scale = Math.min(1, width / video.videoWidth, height / video.videoHeight);
    const canvas = document.createElement("canvas");
    canvas.width = Math.max(1, Math.round(video.videoWidth * scale));
    canvas.height = Math.max(1, Math.round(video.videoHeight * scale));
    const context = canvas.getContext("2d");
    context.imageSmoothingQuality = "high";
    context.drawImage(video, 0, 0, canvas.width, canvas.height);
    return canvas;
  }
}
