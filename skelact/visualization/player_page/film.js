// The video under or beside the skeletons, if there is one.

const MOMENT = 0.002; // seconds into a frame, so that rounding never shows the one before

/** `video` is null where there is none or it does not play here. */
function makeFilm(facts, trouble) {
  const video = document.getElementById("video");
  const film = { video: null, shown: null, place: "off", seek, speed: 1 };
  if (!facts.video) return film;
  film.video = video;
  video.muted = true;
  video.addEventListener("error", () => {
    film.video = null;
    trouble(facts.video.inside ? "This browser does not play the video of this page." : `The video does not play: ${facts.video.name} has to lie where it was when this page was made.`);
  });
  const inside = facts.video.inside;
  video.src = inside ? URL.createObjectURL(new Blob([fromBase64(document.getElementById("film").textContent)], { type: inside })) : facts.video.link;
  if (video.requestVideoFrameCallback) {
    const keep = (_, { mediaTime }) => {
      film.shown = mediaTime;
      video.requestVideoFrameCallback(keep);
    };
    video.requestVideoFrameCallback(keep);
  }

  function seek(time) {
    film.shown = null;
    if (film.video) film.video.currentTime = time + MOMENT;
  }
  return film;
}
