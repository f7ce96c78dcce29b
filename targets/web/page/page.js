// The page: opens models, keeps the controls and the figures, and binds its parts together.
import {Engine} from "./engine.js";
import {Explore} from "./explore.js";
import {Samples} from "./samples.js";
import {Walk} from "./walk.js";
import {randomSeed, readSeed} from "./seed.js";

// The first is opened at the start.
const kModels = [
  {file: "digits_plane.fgm", label: "Digits plane"},
  {file: "digits_vae.fgm", label: "Digits VAE"},
  {file: "digits_gan.fgm", label: "Digits GAN"},
  {file: "names_vae.fgm", label: "Names"},
];

const find = (selector) => document.querySelector(selector);
const engine = new Engine();
const explore = new Explore(find(".explore"), engine);
const walk = new Walk(find(".walk"), engine, explore);
const samples = new Samples(find(".grid"), engine, (chosen) => {
  walk.stop();
  choice = chosen;
  explore.text = {seed: readSeed(seedField) ?? 0n, first: chosen.index, temperature: temperature()};
  explore.goTo(chosen.latent);
});

const seedField = find(".samples .seed");
const truncationSlider = find(".truncation input");
const temperatureSlider = find(".temperature input");
let model; // {file, info}
let choice = {index: 0}; // the tile that is explored

// At its right end the slider is off.
const truncation = () => {
  const off = find(".truncation").hidden || truncationSlider.value === truncationSlider.max;
  return off ? 0 : Number(truncationSlider.value);
};
const temperature = () => (model?.info.kind === "text" ? Number(temperatureSlider.value) : 1);

// ---- Models ---------------------------------------------------------------------------------------

function say(sentence) {
  const message = find(".message");
  message.textContent = sentence;
  message.hidden = sentence === "";
}

/** Opens a model's bytes; what the runtime has against them is shown, and the model before stays. */
async function open(bytes, file) {
  try {
    const info = await engine.open(bytes);
    model = {file, info};
  } catch (error) {
    say(`${file}: ${error.message}.`);
    return;
  }
  say("");
  walk.stop();
  const {info} = model;
  for (const button of document.querySelectorAll(".shipped button"))
    button.setAttribute("aria-pressed", button.dataset.file === file);
  const text = info.kind === "text";
  find(".truncation").hidden = text || info.uniform || info.latentSize === 0;
  find(".temperature").hidden = !text;
  find(".model-bytes dd").textContent = bytesText(info.modelBytes);
  find(".arena-bytes dd").textContent = bytesText(info.arenaBytes);
  find("main").hidden = find("footer").hidden = false;
  samples.layOut(info);
  explore.layOut(info);
  engine.check().then(() => "✓ computes its golden here, bit for bit", () => "").then((fact) => {
    if (model.info === info) find(".checked").textContent = fact;
  });
  draw();
  walk.layOut(info);
}

let asked = 0; // for shipped models; the last one counts
async function openShipped(file) {
  const turn = ++asked;
  const response = await fetch(`models/${file}`).catch(() => null);
  const bytes = await response?.arrayBuffer();
  if (turn !== asked) return;
  if (response?.ok) await open(bytes, file);
  else say(`${file} cannot be had: ${response ? `the server says ${response.status}` : "there is no connection"}.`);
}

async function openFile(file) {
  if (file) await open(await file.arrayBuffer(), file.name);
}

// ---- Drawing --------------------------------------------------------------------------------------

async function draw() {
  const seed = readSeed(seedField);
  say(seed === null ? seedField.validationMessage : "");
  find(".truncation output").textContent = truncation() ? truncation().toFixed(2) : "off";
  find(".temperature output").textContent = temperature().toFixed(2);
  if (seed === null || !model) return;
  history.replaceState(null, "", `#model=${encodeURIComponent(model.file)}&seed=${seed}`);
  find(".command code").textContent = commandLine(seed);
  await samples.draw({seed, truncation: truncation(), temperature: temperature()});
}
// What the runtime refuses while it draws, whoever asked for it.
addEventListener("unhandledrejection", ({reason}) => say(`${model?.file}: ${reason.message}.`));

function commandLine(seed) {
  const words = ["figment sample", model.file, `--count ${samples.count} --seed ${seed}`];
  if (truncation()) words.push(`--truncation ${truncation()}`);
  if (model.info.kind === "text") words.push(`--temperature ${temperature()}`);
  else words.push("-o grid.png");
  return words.join(" ");
}

// When the grid is there, what was explored in the one before is explored again.
find(".grid").addEventListener("drawn", () => samples.choose(choice.index < samples.count ? choice.index : 0));
find(".explore").addEventListener("taken", ({target}) => {
  if (target === find(".explore")) walk.stop();
});
seedField.addEventListener("input", draw);
truncationSlider.addEventListener("input", draw);
temperatureSlider.addEventListener("input", draw);
find(".dice").addEventListener("click", () => {
  seedField.value = randomSeed();
  draw();
});
find(".save").addEventListener("click", () => {
  samples.save(`${model.file.replace(/\.fgm$/, "")}-${seedField.value.trim()}`);
});

// ---- Figures --------------------------------------------------------------------------------------

function bytesText(bytes) {
  const kilobytes = bytes / 1000;
  return kilobytes < 1000 ? `${kilobytes.toFixed(0)} KB` : `${(kilobytes / 1000).toFixed(1)} MB`;
}

let rateShown = false;
engine.addEventListener("rate", () => {
  if (rateShown) return;
  rateShown = true;
  requestAnimationFrame(() => {
    rateShown = false;
    const rate = engine.rate;
    find(".rate dd").textContent = rate >= 100 ? Math.round(rate).toLocaleString("en") : rate.toFixed(1);
  });
});

engine.addEventListener("busy", () => { document.body.ariaBusy = engine.busy; });

async function showModuleSize() {
  const bytes = await (await fetch("figment.wasm")).arrayBuffer();
  const packed = new Blob([bytes]).stream().pipeThrough(new CompressionStream("gzip"));
  find(".module-bytes dd").textContent = bytesText((await new Response(packed).arrayBuffer()).byteLength);
  find(".module-bytes").title = `${bytes.byteLength} bytes before compression, all operators in`;
}

async function workOffline() {
  if (!("serviceWorker" in navigator)) return;
  await navigator.serviceWorker.register("sw.js");
  await navigator.serviceWorker.ready;
  find(".offline").textContent = "✓ works offline";
}

// ---- Files dropped on the page --------------------------------------------------------------------

addEventListener("dragover", (event) => {
  event.preventDefault();
  document.body.classList.add("dragging");
});
addEventListener("dragleave", (event) => {
  if (!event.relatedTarget) document.body.classList.remove("dragging");
});
addEventListener("drop", (event) => {
  event.preventDefault();
  document.body.classList.remove("dragging");
  openFile(event.dataTransfer.files[0]);
});
find(".open input").addEventListener("change", ({target}) => {
  openFile(target.files[0]);
  target.value = ""; // the same file may be opened again
});

// ---- The start ------------------------------------------------------------------------------------

for (const {file, label} of kModels) {
  const button = document.createElement("button");
  button.textContent = label;
  button.dataset.file = file;
  button.addEventListener("click", () => openShipped(file));
  find(".shipped").append(button);
}
say("");
const wanted = new URLSearchParams(location.hash.slice(1));
if (wanted.has("seed")) seedField.value = wanted.get("seed");
const first = kModels.find(({file}) => file === wanted.get("model")) ?? kModels[0];
openShipped(first.file);
showModuleSize();
workOffline();
