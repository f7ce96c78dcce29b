// The module, all operators in, stays under 150 KB compressed. usage: node size_test.mjs figment.wasm
import {readFileSync} from "node:fs";
import {brotliCompressSync, gzipSync} from "node:zlib";

const kLimit = 150 * 1000;
const module = readFileSync(process.argv[2]);
const packed = gzipSync(module, {level: 9}).length;
console.log(`${module.length} bytes, ${packed} with gzip -9, ${brotliCompressSync(module).length} with brotli; ` +
            `${kLimit} with gzip are allowed`);
process.exit(packed > 0 && packed < kLimit ? 0 : 1);
