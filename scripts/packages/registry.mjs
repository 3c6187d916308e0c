// A registry of npm with the packages of some tarballs, on a port of this machine.
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import http from "node:http";
import { basename } from "node:path";

/** Serves the tarballs until the program ends; resolves to the URL. */
export async function serveTarballs(tarballs) {
  const packages = new Map();
  const files = new Map();
  const server = http.createServer(({ url }, response) => {
    const found = packages.get(decodeURIComponent(url).slice(1)) ?? files.get(url);
    response.writeHead(found === undefined ? 404 : 200, {
      "Content-Type": Buffer.isBuffer(found) ? "application/octet-stream" : "application/json",
    });
    response.end(found ?? '{"error":"not found"}');
  });
  await once(server.listen(0, "127.0.0.1"), "listening");
  server.unref();
  const origin = `http://127.0.0.1:${server.address().port}`;
  for (const file of tarballs) {
    const bytes = readFileSync(file);
    const path = `/-/${basename(file)}`;
    files.set(path, bytes);
    const manifest = manifestIn(file);
    packages.set(manifest.name, JSON.stringify(packument(manifest, bytes, `${origin}${path}`)));
  }
  return `${origin}/`;
}

function packument(manifest, bytes, tarball) {
  const { name, version } = manifest;
  const dist = {
    tarball,
    integrity: `sha512-${createHash("sha512").update(bytes).digest("base64")}`,
    shasum: createHash("sha1").update(bytes).digest("hex"),
  };
  return {
    name,
    "dist-tags": { latest: version },
    versions: { [version]: { ...manifest, _id: `${name}@${version}`, dist } },
    time: { [version]: "2026-01-01T00:00:00.000Z" },
  };
}

function manifestIn(file) {
  const { stdout } = spawnSync("tar", ["-xzOf", file, "package/package.json"], {
    encoding: "utf8",
  });
  return JSON.parse(stdout);
}
