// Exploring: sliders, pad, bars and walks show what their latents decode to; and the page fits its screens.
import {writeFileSync} from "node:fs";
import {assert, figment, join, open, quiet, readFileSync, slide, tiles, withPage, withScratch} from "./browser.mjs";

const planeModel = new URL("../../models/digits_plane/decoder.fgm", import.meta.url).pathname;

/** The pixels of the large picture. */
async function view(page) {
  await quiet(page);
  return page.$eval(".view canvas", (canvas) => {
    const {width, height} = canvas;
    return [...canvas.getContext("2d").getImageData(0, 0, width, height).data];
  });
}

const places = (page) => page.$$eval(".axes input", (sliders) => sliders.map(({value}) => Number(value)));

/** The grey levels that the command line computes for a latent of the digits plane. */
function decode(latent) {
  return withScratch((folder) => {
    const [input, output] = [join(folder, "z.npy"), join(folder, "y.npy")];
    // A .npy file: its mark, the header's length, the header, the numbers.
    const header = "{'descr': '<f4', 'fortran_order': False, 'shape': (1, 2), }".padEnd(117) + "\n";
    const mark = Buffer.from([0x93, ..."NUMPY".split("").map((letter) => letter.charCodeAt()), 1, 0, header.length, 0]);
    writeFileSync(input, Buffer.concat([mark, Buffer.from(header), Buffer.from(Float32Array.from(latent).buffer)]));
    figment("run", planeModel, "--backend", "portable", "--in", input, "--out", output);
    const bytes = readFileSync(output);
    const values = new Float32Array(new Uint8Array(bytes.subarray(10 + bytes.readUInt16LE(8))).buffer);
    return [...values].map((value) => Math.min(255, Math.max(0, Math.floor(value * 255 + 0.5))));
  });
}

async function checkPlane(page, latent) {
  const pixels = await view(page);
  const levels = await decode(latent);
  assert.equal(pixels.length, 4 * levels.length);
  assert(levels.every((level, index) => Math.abs(level - pixels[4 * index]) <= 1));
}

const tests = {
  async "the sliders of two numbers are the latent itself"(page, {server}) {
    await open(page, server, "digits_plane");
    for (const latent of [[0, 0], [-1.25, 0.5], [2, -2.75]]) {
      await slide(page, ".axes label:nth-child(1) input", latent[0]);
      await slide(page, ".axes label:nth-child(2) input", latent[1]);
      await checkPlane(page, latent);
    }
    // The pad moves them: a quarter from the left and from the top is half way to the edge, which is 3.
    const box = await (await page.$(".pad")).boundingBox();
    await page.mouse.move(box.x + box.width / 2, box.y + box.height / 2);
    await page.mouse.down();
    await page.mouse.move(box.x + box.width / 4, box.y + box.height / 4, {steps: 5});
    await page.mouse.up();
    const [x, y] = await places(page);
    assert(Math.abs(x + 1.5) < 0.03 && Math.abs(y - 1.5) < 0.03, `${x}, ${y}`);
    const before = await view(page);
    await page.focus(".pad");
    await page.keyboard.press("ArrowRight");
    await page.keyboard.press("ArrowDown");
    const [right, down] = await places(page);
    assert(right > x && down < y);
    assert.notDeepEqual(await view(page), before);
    // Every place of the pad shows its latent: the middle of its 15 by 15 pictures is the middle of the plane.
    const middle = await page.$eval(".pad canvas", (canvas) => {
      const side = canvas.width / 15;
      return [...canvas.getContext("2d").getImageData(7 * side, 7 * side, side, side).data];
    });
    (await decode([0, 0])).forEach((level, index) => assert(Math.abs(level - middle[4 * index]) <= 1));
  },

  async "a chosen sample is the middle of its plane"(page, {server}) {
    for (const model of ["digits_plane", "digits_vae", "digits_gan"]) {
      await open(page, server, model);
      const shown = await tiles(page);
      await page.click(".tile:nth-child(11)");
      assert.deepEqual(await view(page), shown[10].pixels);
      await page.keyboard.press("ArrowDown"); // in the grid: the tile below
      assert.deepEqual(await view(page), shown[18].pixels);
    }
    // More than two numbers: the plane turns about the sample, and the sliders lead away from it and back.
    const there = await view(page);
    await slide(page, ".axes label:nth-child(1) input", 3);
    const away = await view(page);
    assert.notDeepEqual(away, there);
    await slide(page, ".axes label:nth-child(1) input", 0);
    assert.deepEqual(await view(page), there);
    await page.click(".turn");
    assert.deepEqual(await view(page), there);
    await slide(page, ".axes label:nth-child(1) input", 3);
    assert.notDeepEqual(await view(page), away);
  },

  async "the bars change one number each"(page, {server}) {
    await open(page, server, "digits_vae");
    const before = await view(page);
    const box = await (await page.$(".bars canvas")).boundingBox();
    await page.mouse.click(box.x + (3.5 / 20) * box.width, box.y + box.height * 0.99);
    assert.match(await page.$eval(".bars canvas", (bars) => bars.ariaValueText), /^number 4 of 20: -3\.4\d$/);
    assert.notDeepEqual(await view(page), before);
    await page.focus(".bars canvas");
    await page.keyboard.press("ArrowRight");
    await page.keyboard.press("ArrowUp");
    assert.match(await page.$eval(".bars canvas", (bars) => bars.ariaValueText), /^number 5 of 20/);
  },

  async "a walk leads from one seed's sample to another's"(page, {server}) {
    for (const model of ["digits_gan", "digits_plane"]) {
      const first = [];
      for (const seed of [5, 11]) {
        await open(page, server, model, seed);
        first.push((await tiles(page))[0].pixels);
      }
      await page.fill(".walk label:first-child .seed", "5");
      await page.fill(".walk label:last-child .seed", "11");
      await quiet(page);
      for (const end of [0, 1]) {
        await slide(page, ".walk > input", end);
        const far = (await view(page)).map((level, index) => Math.abs(level - first[end][index]));
        assert(Math.max(...far) <= 1, `${model}, end ${end}: ${Math.max(...far)}`);
      }
      await slide(page, ".walk > input", 0.5);
      const middle = await view(page);
      assert.notDeepEqual(middle, first[0]);
      assert.notDeepEqual(middle, first[1]);
    }
    // It goes by itself, past its second seed to a third.
    await page.click(".play");
    await page.waitForFunction(() => document.querySelector(".walk label:first-child .seed").value === "11", null,
                               {timeout: 30000});
    assert.equal(await page.getAttribute(".play", "aria-pressed"), "true");
    await page.click(".tile:nth-child(2)"); // whoever chooses something else ends it
    assert.equal(await page.getAttribute(".play", "aria-pressed"), "false");
    assert.deepEqual(await view(page), (await tiles(page))[1].pixels);
  },

  async "no screen is too narrow"(page, {server}) {
    for (const [width, height] of [[320, 640], [390, 844], [768, 1024], [1020, 700], [1280, 800], [1920, 1080]]) {
      await page.setViewportSize({width, height});
      for (const model of ["digits_plane", "digits_gan", "names_vae"]) {
        await open(page, server, model);
        const across = await page.evaluate(() => document.documentElement.scrollWidth);
        assert(across <= width, `${model} takes ${across} of ${width}`);
      }
    }
  },
};

for (const [name, test] of Object.entries(tests)) {
  await withPage(test);
  console.log(`ok  ${name}`);
}
