// parse-head: a browser's request of 700 bytes with ten headers, of which two or all are read.

import { parsing, readAll, readTwo } from "../src/parsing.ts";

const FIELDS = [
  "Host: www.example.com",
  "User-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
  "Accept: text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8",
  "Accept-Language: en-GB,en;q=0.7,de;q=0.3",
  "Accept-Encoding: gzip, deflate, br, zstd",
  "Referer: https://www.example.com/products/overview?from=newsletter&campaign=spring",
  "Connection: keep-alive",
  "Upgrade-Insecure-Requests: 1",
  'If-None-Match: "5f2a-61c0d2b4a7e80"',
  "Cookie: session=0123456789abcdef0123456789abcdef; theme=dark; consent=all; visits=17; language=en; region=eu; _ga=GA1.2.1234567890.1700000000; seen=spring-banner",
];
const HEAD = ["GET /products/catalogue/item-4711?colour=blue HTTP/1.1", ...FIELDS, "", ""].join(
  "\r\n",
);

const cookie = FIELDS[9]!.length - "Cookie: ".length;
const accept = FIELDS[2]!.length - "Accept: ".length;

export const benchmarks = [
  parsing("parse-head/two-read", HEAD, readTwo("accept", "cookie"), accept + cookie),
  parsing("parse-head/all-cut", HEAD, readAll, FIELDS.length * 2),
];
