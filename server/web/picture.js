// Pictures to mix: those that the page draws, and files of the user's own.

const SIDE = 224;

/** Options of a canvas whose pixels are read back. */
const penOf = (canvas) => canvas.getContext("2d", { willReadFrequently: true });

/** Covers the canvas with the middle of the image. */
function draw(canvas, image) {
  const scale = Math.max(SIDE / image.width, SIDE / image.height);
  const [width, height] = [image.width * scale, image.height * scale];
  penOf(canvas).drawImage(image, (SIDE - width) / 2, (SIDE - height) / 2, width, height);
}

/** Dunes under the sun, over a square of SIDE; `turn` turns the hue of each colour. */
function drawDunes(pen, turn) {
  const colour = (hue, saturation, light) => `hsl(${hue + turn} ${saturation}% ${light}%)`;
  const sky = pen.createLinearGradient(0, 0, 0, SIDE);
  sky.addColorStop(0, colour(31, 88, 69));
  sky.addColorStop(1, colour(2, 48, 53));
  pen.fillStyle = sky;
  pen.fillRect(0, 0, SIDE, SIDE);
  pen.fillStyle = colour(45, 100, 90);
  pen.beginPath();
  pen.arc(150, 70, 32, 0, 7);
  pen.fill();
  for (const [top, hue, light] of [[130, 0, 36], [160, 349, 26], [190, 325, 15]]) {
    pen.fillStyle = colour(hue, 37, light);
    pen.beginPath();
    pen.moveTo(0, SIDE);
    pen.lineTo(0, top);
    pen.bezierCurveTo(70, top - 40, 130, top + 35, SIDE, top - 15);
    pen.lineTo(SIDE, SIDE);
    pen.fill();
  }
}

/** Leaves, likewise. */
function drawLeaves(pen, turn) {
  pen.fillStyle = `hsl(${181 + turn} 61% 15%)`;
  pen.fillRect(0, 0, SIDE, SIDE);
  for (let i = 0; i < 40; i++) {
    pen.save();
    pen.translate((i * 83) % SIDE, (i * 47) % SIDE);
    pen.rotate(i * 2.4);
    pen.fillStyle = `hsl(${140 + turn + (i * 11) % 50} 45% ${28 + (i * 7) % 40}%)`;
    pen.beginPath();
    pen.ellipse(0, 0, 34, 12, 0, 0, 7);
    pen.fill();
    pen.restore();
  }
}

const blobOf = (canvas) => new Promise((resolve) => canvas.toBlob(resolve));

/** A picture as the server reads it: a PNG or JPEG file as it is, any other image as a PNG. */
async function pictureOf(file, image) {
  if (file.type === "image/png" || file.type === "image/jpeg")
    return file;
  const canvas = document.createElement("canvas");
  [canvas.width, canvas.height] = [image.width, image.height];
  canvas.getContext("2d").drawImage(image, 0, 0);
  return blobOf(canvas);
}

/** `files` are the pictures, in the order of `drops`; `refuse` is told why a file is not taken. */
function takeImages(drops, files, redraw, refuse) {
  drops.forEach((drop, place) => {
    const canvas = drop.querySelector("canvas");
    let latest = 0;
    const take = async (file) => {
      if (!file)
        return;
      const mine = ++latest;
      const image = await createImageBitmap(file).catch(() => null);
      if (!image) {
        refuse(`This browser cannot read ${file.name} as an image.`);
        return;
      }
      const picture = await pictureOf(file, image);
      if (mine !== latest)
        return; // a later file was read before this one
      files[place] = picture;
      draw(canvas, image);
      redraw();
    };
    const input = drop.querySelector("input");
    input.addEventListener("input", (event) => event.stopPropagation()); // its value is not shown
    input.addEventListener("change", () => take(input.files[0]));
    drop.addEventListener("dragover", (event) => {
      event.preventDefault();
      drop.classList.add("over");
    });
    drop.addEventListener("dragleave", () => drop.classList.remove("over"));
    drop.addEventListener("drop", (event) => {
      event.preventDefault();
      drop.classList.remove("over");
      take(event.dataTransfer.files[0]);
    });
  });
}
