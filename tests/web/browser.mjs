// The page in headless Chromium, and the command line to compare it with.
import assert from "node:assert/strict";
import {execFileSync} from "node:child_process";
import {mkdtempSync, readFileSync, rmSync} from "node:fs";
import {createRequire} from "node:module";
import {tmpdir} from "node:os";
import {join} from "node:path";
import {serve} from "./serve.mjs";

const {chromium} = createRequire(process.env.FIGMENT_PACKAGES + "/")("playwright-core");
export const [pageFolder, hostCommand, twoLatents] = process.argv.slice(2);

/** What the host's command line writes to standard output, or, with "-o -", the file. */
export function figment(...words) {
  return execFileSync(hostCommand, words, {maxBuffer: 1 << 26});
}

/** Runs `test(page, {server, context})` on a fresh page; afterwards nothing may have complained in its console. */
export async function withPage(test, options = {}) {
  const server = await serve(pageFolder);
  const browser = await chromium.launch({
    executablePath: process.env.CHROMIUM,
    args: ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
           "--disable-background-networking", "--disable-component-update", "--disable-sync"],
  });
  try {
    const context = await browser.newContext({viewport: {width: 1280, height: 800}, ...options});
    context.setDefaultTimeout(180_000); // for machines that are busy with other tests
    const page = await context.newPage();
    const complaints = [];
    page.on("pageerror", (error) => complaints.push(error.message));
    page.on("console", (message) => {
      // That the tests themselves read canvases often is their own affair.
      if (["error", "warning"].includes(message.type()) && !message.text().startsWith("Canvas2D: Multiple readback"))
        complaints.push(message.text());
    });
    // Nothing may come from elsewhere.
    page.on("request", (request) => {
      if (!/^(data|blob):/.test(request.url()) && !request.url().startsWith(server.address))
        complaints.push(`the page asked for ${request.url()}`);
    });
    await test(page, {server, context});
    assert.deepEqual(complaints, []);
  } finally {
    await browser.close();
    await server.close();
  }
}

/** Opens a shipped model with a seed and waits until it is drawn. */
export async function open(page, server, model, seed = 42) {
  await page.goto("about:blank"); // or a new hash alone would load nothing
  await page.goto(`${server.address}#model=${model}.fgm&seed=${seed}`);
  await drawn(page);
}

/** Waits until a model is drawn, with everything that follows from it. */
export async function drawn(page) {
  await page.waitForSelector(".tile[aria-pressed=true]", {state: "attached"});
  await quiet(page);
}

/** Waits until nothing is being computed: twice, a while apart, for one thing may lead to another. */
export async function quiet(page) {
  for (let time = 0; time < 2; ++time) {
    await page.waitForTimeout(60);
    await page.waitForFunction(() => document.body.ariaBusy === "false");
  }
}

/** The pixels of every tile: width, height and rows of red, green, blue, alpha. */
export function tiles(page) {
  return page.$$eval(".tile canvas", (canvases) => canvases.map((canvas) => {
    const {width, height} = canvas;
    return {width, height, pixels: [...canvas.getContext("2d").getImageData(0, 0, width, height).data]};
  }));
}

/** Sets a slider as a hand does. */
export function slide(page, selector, value) {
  return page.$eval(selector, (slider, to) => {
    slider.value = to;
    slider.dispatchEvent(new Event("input", {bubbles: true}));
  }, value);
}

/** The pixels of a PNG's bytes, decoded by the browser itself. */
export function decodePng(page, bytes) {
  return page.evaluate(async (text) => {
    const blob = await (await fetch(`data:image/png;base64,${text}`)).blob();
    const picture = await createImageBitmap(blob, {colorSpaceConversion: "none"});
    const {width, height} = picture;
    const pen = new OffscreenCanvas(width, height).getContext("2d");
    pen.drawImage(picture, 0, 0);
    return {width, height, pixels: [...pen.getImageData(0, 0, width, height).data]};
  }, bytes.toString("base64"));
}

/** The largest difference between two pictures of one size, in grey levels. */
export function difference(one, other) {
  assert.deepEqual([one.width, one.height], [other.width, other.height]);
  return one.pixels.reduce((most, value, index) => Math.max(most, Math.abs(value - other.pixels[index])), 0);
}

/** Cuts picture `index` out of a grid as the command line lays it out. */
export function cell(grid, index, columns, {width, height}) {
  const left = (index % columns) * (width + 2);
  const top = Math.floor(index / columns) * (height + 2);
  const pixels = [];
  for (let row = top; row < top + height; ++row)
    pixels.push(...grid.pixels.slice(4 * (row * grid.width + left), 4 * (row * grid.width + left + width)));
  return {width, height, pixels};
}

/** Runs `use(folder)` with a folder that is gone afterwards. */
export async function withScratch(use) {
  const folder = mkdtempSync(join(tmpdir(), "figment-"));
  try {
    return await use(folder);
  } finally {
    rmSync(folder, {recursive: true});
  }
}

export {assert, join, readFileSync};
