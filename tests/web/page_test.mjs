// The page draws what the command line draws, says what the runtime says, and works without a connection.
import {assert, cell, decodePng, difference, drawn, figment, join, open, quiet, readFileSync, slide, tiles,
        twoLatents, withPage, withScratch} from "./browser.mjs";

const kModels = {
  digits_plane: "models/digits_plane/decoder.fgm",
  digits_vae: "models/digits_vae/decoder.fgm",
  digits_gan: "models/digits_gan/generator.fgm",
};
const root = new URL("../..", import.meta.url).pathname;

/** The command line's grid against the page's tiles; returns the largest difference. */
async function compare(page, model, words, backend) {
  const shown = await tiles(page);
  const columns = Math.sqrt(shown.length);
  const png = await withScratch((folder) => {
    const file = join(folder, "grid.png");
    figment("sample", model, "--count", String(shown.length), "--backend", backend, "-o", file, ...words);
    return readFileSync(file);
  });
  const grid = await decodePng(page, png);
  assert.equal(grid.width, columns * (shown[0].width + 2) - 2);
  return Math.max(...shown.map((tile, index) => difference(tile, cell(grid, index, columns, tile))));
}

const tests = {
  async "the pictures of a seed are the command line's"(page, {server}) {
    for (const [name, file] of Object.entries(kModels)) {
      for (const seed of ["42", "18446744073709551615"]) {
        await open(page, server, name, seed);
        const portable = await compare(page, root + file, ["--seed", seed], "portable");
        const fast = await compare(page, root + file, ["--seed", seed], "xnnpack");
        console.log(`      ${name}, seed ${seed}: ${portable} grey levels from portable, ${fast} from XNNPACK`);
        assert.equal(portable, 0);
        assert(fast <= 1);
      }
      await slide(page, ".truncation input", "0.7");
      await quiet(page);
      assert.match(await page.textContent(".command"), /--truncation 0\.7/);
      assert.equal(await compare(page, root + file, ["--seed", "18446744073709551615", "--truncation", "0.7"],
                                 "portable"), 0);
    }
  },

  async "samples per second, bytes and facts are shown"(page, {server}) {
    await open(page, server, "digits_vae");
    const figure = async (name) => (await page.textContent(`.${name} dd`)).replace(",", "");
    assert(Number(await figure("rate")) > 0);
    assert.equal(await figure("model-bytes"), "829 KB");
    assert.match(await figure("arena-bytes"), /^\d+ KB$/);
    await page.waitForFunction(() => /^\d+ KB$/.test(document.querySelector(".module-bytes dd").textContent));
    await page.waitForFunction(() => /bit for bit/.test(document.querySelector(".checked").textContent));
    for (const name of ["digits_plane", "digits_gan", "digits_vae"]) {
      await open(page, server, name);
      console.log(`      ${name}: ${await figure("rate")} samples per second`);
    }
  },

  async "the names are the command line's"(page, {server}) {
    await open(page, server, "names_vae");
    for (const temperature of ["0.8", "0"]) {
      await slide(page, ".temperature input", temperature);
      await quiet(page);
      const names = await page.$$eval(".tile", (all) => all.map((tile) => tile.textContent));
      const lines = figment("sample", root + "models/names_vae/names_decoder.fgm", "--count", "64", "--seed", "42",
                            "--temperature", temperature, "--backend", "portable");
      assert.deepEqual(names, lines.toString().trimEnd().split("\n"));
      assert.equal(await page.textContent(".view"), names[0]);
    }
  },

  async "a dropped file is opened"(page, {server}) {
    await open(page, server, "digits_vae", 3);
    await page.evaluate((bytes) => {
      const dataTransfer = new DataTransfer();
      dataTransfer.items.add(new File([new Uint8Array(bytes)], "mine.fgm"));
      for (const kind of ["dragover", "drop"]) document.body.dispatchEvent(new DragEvent(kind, {dataTransfer, bubbles: true}));
    }, [...readFileSync(twoLatents)]);
    await page.waitForFunction(() => document.querySelector(".command").textContent.includes("mine.fgm"));
    await drawn(page);
    // Two latents, colours, and a picture that is not square.
    assert.equal(await compare(page, twoLatents, ["--seed", "3"], "portable"), 0);
  },

  async "what the runtime has against a file is shown, and the model before stays"(page, {server}) {
    await open(page, server, "digits_vae");
    const before = await tiles(page);
    const model = readFileSync(root + kModels.digits_vae);
    // The version becomes another field's place in the file, which is a large number.
    const newer = Buffer.from(model);
    const table = newer.readUInt32LE(0);
    const fields = table - newer.readInt32LE(table);
    newer.copy(newer, fields + 4, fields + 8, fields + 10);
    const refused = {
      "poem.fgm": [Buffer.from("Tyger Tyger, burning bright"), /poem\.fgm: this is no \.fgm file.*figment convert\.$/],
      "cut.fgm": [model.subarray(0, 100000), /the file is damaged or cut short \(100000 bytes\)/],
      "newer.fgm": [newer, /the file has format version \d+; this runtime reads up to \d; update Figment/],
      "encoder.fgm": [readFileSync(root + "models/digits_vae/encoder.fgm"), /does not say that its output is a picture/],
    };
    for (const [name, [buffer, sentence]] of Object.entries(refused)) {
      await page.setInputFiles(".open input", {name, mimeType: "application/octet-stream", buffer});
      await page.waitForFunction((file) => document.querySelector(".message").textContent.startsWith(file), name);
      assert.match(await page.textContent(".message"), sentence);
    }
    await page.fill(".samples .seed", "-1");
    assert.match(await page.textContent(".message"), /A seed is a whole number/);
    await page.fill(".samples .seed", "42");
    assert(await page.isHidden(".message"));
    await drawn(page);
    assert.deepEqual(await tiles(page), before);
  },

  async "the saved grid is the command line's picture"(page, {server}) {
    await open(page, server, "digits_gan", 7);
    const [download] = await Promise.all([page.waitForEvent("download"), page.click(".save")]);
    assert.equal(download.suggestedFilename(), "digits_gan-7.png");
    const saved = await decodePng(page, readFileSync(await download.path()));
    await withScratch(async (folder) => {
      const file = join(folder, "grid.png");
      figment("sample", root + kModels.digits_gan, "--count", "64", "--seed", "7", "--backend", "portable", "-o", file);
      assert.equal(difference(saved, await decodePng(page, readFileSync(file))), 0);
    });
  },

  async "without a connection everything is still there"(page, {server, context}) {
    await open(page, server, "digits_vae");
    const before = await tiles(page);
    await page.waitForFunction(() => document.querySelector(".offline").textContent !== "");
    await server.close();
    await context.setOffline(true);
    await page.reload();
    await drawn(page);
    assert.deepEqual(await tiles(page), before);
    await page.click("text=Names");
    await page.waitForSelector(".grid.words .tile:not(:empty)");
    await quiet(page);
  },
};

for (const [name, test] of Object.entries(tests)) {
  await withPage(test);
  console.log(`ok  ${name}`);
}
