// The time that is shown, and how it runs.

const SPEEDS = [0.1, 0.25, 0.5, 1, 1.5, 2, 4, 8];

/** Plays a recording; `show(time, frame, playing)` is called for every picture. */
class Player {
  constructor(facts, recording, stage, film, show) {
    Object.assign(this, { facts, recording, stage, film, show });
    this.first = facts.first;
    this.last = facts.first + facts.length;
    this.starts = facts.tracks.flatMap((track) => track.segments.map((s) => s.start));
    this.starts.sort((a, b) => a - b);
    this.time = this.first;
    this.playing = false;
    this.speed = 1;
    this.repeat = false;
    this.waiting = 0; // for the next picture
    this.before = 0; // milliseconds of the picture before
  }

  get frame() {
    return Math.max(0, lastAtMost(this.recording.times, this.time + 1e-6));
  }

  /** Draws once, however often it is asked before the next picture. */
  later() {
    if (this.playing || this.waiting) return;
    this.waiting = requestAnimationFrame(() => this.draw());
  }

  draw() {
    const { film, stage } = this;
    this.waiting = 0;
    const onScreen = this.playing && film.leads(this.time) ? film.shown : null;
    stage.draw(onScreen ?? this.time);
    this.show(this.time, this.frame, this.playing);
  }

  seek(time) {
    this.time = Math.min(this.last, Math.max(this.first, time));
    this.film.seek(this.time);
    this.later();
  }

  seekFrame(frame) {
    const { times } = this.recording;
    this.pause();
    this.seek(times[Math.min(times.length - 1, Math.max(0, frame))]);
  }

  /** To the start of the next (1) or previous (-1) segment of anybody. */
  seekSegment(way) {
    const passed = this.playing ? 0.5 : 1e-6; // time to press the key twice
    const start = way > 0 ? this.starts.find((s) => s > this.time + 1e-6)
      : this.starts.findLast((s) => s < this.time - passed);
    if (start !== undefined) this.seek(start);
  }

  play() {
    if (this.playing) return;
    if (this.time >= this.recording.times.at(-1)) this.seek(this.first);
    this.playing = true;
    this.before = performance.now();
    this.playFilm();
    requestAnimationFrame((now) => this.tick(now));
  }

  playFilm() {
    this.film.play(() => this.pause());
  }

  pause() {
    if (!this.playing) return;
    this.playing = false;
    this.film.pause();
    this.seek(this.recording.times[this.frame]);
  }

  tick(now) {
    if (!this.playing) return;
    const { film } = this;
    const seconds = Math.min(250, Math.max(0, now - this.before)) / 1000;
    this.before = now;
    if (film.leads(this.time)) this.time = Math.max(this.first, film.video.currentTime);
    else this.time += seconds * this.speed;
    if (this.time >= this.last) {
      this.time = this.last;
      if (!this.repeat) return this.pause();
      this.seek(this.first);
      this.playFilm();
    }
    this.draw();
    requestAnimationFrame((next) => this.tick(next));
  }

  setSpeed(speed) {
    this.speed = speed;
    this.film.setSpeed(speed);
  }

  /** The next speed up (1) or down (-1). */
  changeSpeed(way) {
    const place = SPEEDS.indexOf(this.speed) + way;
    this.setSpeed(SPEEDS[Math.min(SPEEDS.length - 1, Math.max(0, place))]);
  }

  placeVideo(place) {
    this.film.place = place;
    this.stage.clear = place === "under";
    this.film.seek(this.time);
    if (this.playing && place !== "off") this.playFilm();
    else this.film.pause();
    this.later();
  }
}
