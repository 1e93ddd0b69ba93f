// The video under or beside the skeletons, if there is one.

const MOMENT = 0.002; // seconds into a frame, so that rounding never shows the one before

/** The video and where it stands; `lost(message)` is called if it does not play here. */
class Film {
  constructor(video, facts, lost) {
    this.video = video;
    this.there = Boolean(facts.video);
    this.place = "off"; // under, beside, off
    this.shown = null; // seconds of the frame on the screen, where the browser tells
    if (!this.there) return;
    const { inside, link, name } = facts.video;
    video.muted = true;
    video.addEventListener("error", () => {
      this.there = false;
      lost(inside ? "This browser does not play the video of this page."
        : `The video does not play: ${name} has to lie where it was when this page was made.`);
    });
    if (inside) {
      const bytes = fromBase64(document.getElementById("film").textContent);
      video.src = URL.createObjectURL(new Blob([bytes], { type: inside }));
    } else video.src = link;
    this.watch();
  }

  watch() {
    this.video.requestVideoFrameCallback?.((_, { mediaTime }) => {
      this.shown = mediaTime;
      this.watch();
    });
  }

  get visible() {
    return this.there && this.place !== "off";
  }

  /** Whether its clock is the one to go by at a time. */
  leads(time) {
    return this.visible && !this.video.ended && !(time > this.video.duration);
  }

  /** `refused()` is called where the browser wants to be asked by the user. */
  play(refused) {
    if (!this.visible) return;
    this.video.play().catch((error) => {
      if (error.name === "NotAllowedError") refused(); // else a pause came first
    });
  }

  pause() {
    if (this.there) this.video.pause();
  }

  seek(time) {
    this.shown = null;
    if (this.there) this.video.currentTime = time + MOMENT;
  }

  setSpeed(speed) {
    if (this.there) this.video.playbackRate = speed;
  }
}
