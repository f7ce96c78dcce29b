// Puts samples on the page, and files on the disk.

/** Picture `sample` of what the engine drew. */
export function pictureOf(info, drawn, sample) {
  const bytes = 4 * info.width * info.height;
  return new ImageData(drawn.pictures.subarray(sample * bytes, (sample + 1) * bytes), info.width, info.height);
}

/** Shows one sample in an element that holds a canvas of the picture's size, or takes text. */
export function paint(element, info, drawn, sample) {
  if (info.kind === "text") element.textContent = drawn.texts[sample];
  else element.querySelector("canvas").getContext("2d").putImageData(pictureOf(info, drawn, sample), 0, 0);
}

/**
 * Paints samples side by side, row after row, into a canvas that takes the size this needs: pictures pixel by pixel,
 * texts as words of the canvas's own colour and font.
 */
export function paintSheet(canvas, info, drawn, columns) {
  const rows = Math.ceil(drawn.samples / columns);
  const pen = canvas.getContext("2d");
  if (info.kind === "picture") {
    canvas.width = columns * info.width;
    canvas.height = rows * info.height;
    for (let sample = 0; sample < drawn.samples; ++sample)
      pen.putImageData(pictureOf(info, drawn, sample), (sample % columns) * info.width,
                       Math.floor(sample / columns) * info.height);
    return;
  }
  const style = getComputedStyle(canvas);
  const scale = devicePixelRatio;
  canvas.width = canvas.clientWidth * scale;
  canvas.height = canvas.clientHeight * scale;
  const width = canvas.width / columns;
  const height = canvas.height / rows;
  pen.fillStyle = style.color;
  pen.textAlign = "center";
  pen.textBaseline = "middle";
  drawn.texts.forEach((text, sample) => {
    let size = Math.min(15 * scale, height * 0.6);
    pen.font = `${size}px ${style.fontFamily}`;
    size *= Math.min(1, (0.92 * width) / pen.measureText(text).width);
    pen.font = `${size}px ${style.fontFamily}`;
    pen.fillText(text, (sample % columns + 0.5) * width, (Math.floor(sample / columns) + 0.5) * height);
  });
}

/** Hands a file to the browser's downloads. */
export function save(blob, name) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 1000);
}
