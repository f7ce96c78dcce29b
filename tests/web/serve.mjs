// Serves a folder on 127.0.0.1, as any server of files does; for the tests.
import {createServer} from "node:http";
import {readFile} from "node:fs/promises";
import {extname, join, normalize} from "node:path";

const kTypes = {
  ".html": "text/html", ".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml",
  ".webmanifest": "application/manifest+json", ".wasm": "application/wasm",
};

/** Returns {address, paths, close()}: where it listens, what was asked for, and how it ends. */
export async function serve(folder) {
  const paths = [];
  const server = createServer(async (request, response) => {
    const path = normalize(decodeURIComponent(new URL(request.url, "http://x").pathname));
    paths.push(path);
    const file = join(folder, path.endsWith("/") ? path + "index.html" : path);
    try {
      const content = await readFile(file);
      response.writeHead(200, {"content-type": kTypes[extname(file)] ?? "application/octet-stream"}).end(content);
    } catch {
      response.writeHead(404).end();
    }
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    address: `http://127.0.0.1:${server.address().port}/`,
    paths,
    close: () => new Promise((resolve) => { server.close(resolve); server.closeAllConnections(); }),
  };
}
