// parse-upgrade: a WebSocket request of 230 bytes, of which two headers are read.

import { parsing, readTwo } from "../src/parsing.ts";

const KEY = "dGhlIHNhbXBsZSBub25jZQ==";
const HEAD = [
  "GET /chat HTTP/1.1",
  "Host: chat.example.com:8080",
  "Connection: Upgrade",
  "Upgrade: websocket",
  "Origin: https://www.example.com",
  "Sec-WebSocket-Version: 13",
  `Sec-WebSocket-Key: ${KEY}`,
  "Sec-WebSocket-Protocol: chat.v2",
  "",
  "",
].join("\r\n");

const read = readTwo("sec-websocket-key", "sec-websocket-protocol");

export const benchmarks = [parsing("parse-upgrade", HEAD, read, KEY.length + "chat.v2".length)];
