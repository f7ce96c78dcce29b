// The runtime in a thread of its own, so that the page stays smooth. Does what engine.js asks, one thing after another.
import {Figment, compileFigment} from "./figment.js";

let figment; // the open model
const module = compileFigment("figment.wasm");
module.catch(() => {}); // said by the first verb that needs it

const verbs = {
  // A model that is refused leaves the one before in place.
  async open({bytes}) {
    figment = await Figment.open(await module, bytes);
    return figment.info;
  },
  draw: (request) => figment.draw(request),
  decode: (request) => figment.decode(request),
  check: () => figment.check(),
};

let before = Promise.resolve();
addEventListener("message", ({data: {id, verb, request}}) => {
  before = before.then(async () => {
    try {
      const result = await verbs[verb](request);
      postMessage({id, result}, result?.latents ? [result.latents.buffer] : []);
    } catch (error) {
      postMessage({id, error: error.message});
    }
  });
});
