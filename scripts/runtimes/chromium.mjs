// Plays the suite in a page of Chromium, which posts its results.
import { once } from "node:events";
import { readFileSync } from "node:fs";
import http from "node:http";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { started } from "./lines.mjs";

const PAGE =
  '<!doctype html><title>suite</title><script type="module" src="/chromium.js"></script>';
const FILES = ["/chromium.js", "/chromium-worker.js"];

export async function playInChromium(binary, project, report) {
  let end;
  const over = new Promise((resolve) => {
    end = resolve;
  });
  const server = http.createServer(async (request, response) => {
    const { url = "" } = request;
    const posted = await text(request);
    if (url === "/result") report(JSON.parse(posted));
    else if (url === "/over") end();
    const isFile = FILES.includes(url);
    response.setHeader("Content-Type", isFile ? "text/javascript" : "text/html");
    response.end(isFile ? readFileSync(join(project, url)) : PAGE);
  });
  await once(server.listen(0, "127.0.0.1"), "listening");
  const args = [
    "--headless",
    // The only pages are ours, and there may be no sandbox for root.
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    `--user-data-dir=${join(project, "profile")}`,
    `http://127.0.0.1:${server.address().port}/`,
  ];
  const use = (_, closed) => Promise.race([over, closed]);
  try {
    return await started(binary, args, project, use, ["ignore", "ignore", "pipe"]);
  } finally {
    server.close();
    server.closeAllConnections();
  }
}
