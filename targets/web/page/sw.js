// The service worker: keeps the whole page, so that it works without a connection. The build writes in which files
// there are and a digest of them all; another digest is another worker, which fetches everything anew.
const kVersion = "figment-@version@";
const kFiles = [@files@];

addEventListener("install", (event) => {
  event.waitUntil((async () => {
    const cache = await caches.open(kVersion);
    // Past the browser's own cache, which may hold files of an older version.
    await cache.addAll(["./", ...kFiles].map((file) => new Request(file, {cache: "reload"})));
    await skipWaiting();
  })());
});

addEventListener("activate", (event) => {
  event.waitUntil((async () => {
    for (const name of await caches.keys()) if (name.startsWith("figment-") && name !== kVersion) await caches.delete(name);
    await clients.claim();
  })());
});

addEventListener("fetch", (event) => {
  event.respondWith((async () => {
    const kept = await (await caches.open(kVersion)).match(event.request, {ignoreSearch: true});
    return kept ?? fetch(event.request);
  })());
});
