import { describe, expect, test } from "vitest";
import type { AnswerFacts, ExchangeFacts, Facts } from "../src/facts.ts";
import { judge } from "../src/judge/judge.ts";
import { answerIn } from "../src/probe/answer.ts";
import { VERDICTS } from "../src/verdicts/verdicts.ts";

const target: Facts["target"] = {
  url: "ws://a.test/chat",
  host: "a.test",
  port: 80,
  isSecure: false,
  method: "GET",
  protocols: ["websocket"],
  subprotocols: [],
  timeoutMs: 10_000,
};
const REQUEST = "GET /chat HTTP/1.1\r\nHost: a.test\r\nConnection: Upgrade\r\nUpgrade: websocket";

/** Facts of an exchange with this answer. */
function answered(text: string, more: Partial<Facts> = {}, exchange: Partial<ExchangeFacts> = {}) {
  const bytes = Buffer.from(text.replaceAll("\n", "\r\n"), "latin1");
  const answer = text === "" ? undefined : answerIn([{ at: 0, bytes }], 0, false);
  const all: ExchangeFacts = {
    request: { head: REQUEST, bytes: 100 },
    answer: answer as AnswerFacts,
    isSwitched: false,
    ending: "open",
    ms: 1,
    ...exchange,
  };
  return judge({ target, control: {}, exchange: all, ...more });
}

const refusal = (status: string, ...lines: string[]) =>
  [`HTTP/1.1 ${status}`, ...lines, "Content-Length: 0", "", ""].join("\n");

describe("a refusal", () => {
  test.each([
    ["301 Moved Permanently", ["Location: https://b.test/"], "redirect", "https://b.test/"],
    ["308 Permanent Redirect", ["Location: /x"], "redirect", "(308) to /x"],
    ["401 Unauthorized", ["WWW-Authenticate: Basic realm=a"], "not-authenticated", "401, Basic"],
    ["403 Forbidden", [], "forbidden", "The server forbids"],
    ["403 Forbidden", ["Server: cloudflare"], "forbidden", "Cloudflare forbids"],
    ["404 Not Found", ["Server: nginx/1.22.1"], "not-found", "nginx knows no /chat (404)"],
    ["405 Method Not Allowed", ["Allow: POST"], "method-not-allowed", "does not allow GET"],
    ["410 Gone", [], "not-found", "410"],
    ["413 Content Too Large", [], "too-large", "413"],
    ["421 Misdirected Request", [], "misdirected", "does not serve a.test"],
    ["429 Too Many Requests", [], "too-many", "429"],
    ["426 Upgrade Required", ["Upgrade: websocket"], "upgrade-not-relayed", "asks for websocket"],
    ["426 Upgrade Required", [], "upgrade-not-relayed", "asks for an upgrade"],
    ["426 Upgrade Required", ["Upgrade: TLS/1.0"], "other-protocol", "offers TLS/1.0"],
    ["426 Upgrade Required", ["Sec-WebSocket-Version: 8, 7"], "wrong-websocket-version", "8, 7"],
    [
      "426 Upgrade Required",
      ["Upgrade: websocket", "Sec-WebSocket-Version: 13"],
      "upgrade-not-relayed",
      "426",
    ],
    ["418 I'm a teapot", [], "refused", "418"],
    ["500 Internal Server Error", [], "server-failed", "500"],
    ["501 Not Implemented", [], "not-implemented", "501"],
    ["502 Bad Gateway", ["Server: nginx"], "gateway-failed", "nginx got no usable answer"],
    ["503 Service Unavailable", [], "unavailable", "503"],
    [
      "504 Gateway Timeout",
      ["Proxy-Status: edge; error=x"],
      "gateway-failed",
      "The proxy edge got",
    ],
    ["507 Insufficient Storage", [], "server-failed", "507"],
    ["200 OK", ["Server: nginx"], "upgrade-ignored", "nginx answered 200"],
    ["204 No Content", [], "upgrade-ignored", "204"],
  ] as const)("%s with %j is %s", (status, lines, id, words) => {
    const verdict = answered(refusal(status, ...lines));
    expect(verdict.id).toBe(id);
    expect(verdict.says).toContain(words);
    expect(verdict.exit).toBe(6);
  });

  test.each([
    ["nginx/1.22.1", "proxy_http_version 1.1"],
    ["Apache/2.4.57", "upgrade=websocket"],
    ["squid/5.7", "http_upgrade_request_protocols"],
    ["envoy", "upgrade_configs"],
  ])("of %s names its directive", (server, directive) => {
    const text = refusal("426 Upgrade Required", "Upgrade: websocket", `Server: ${server}`);
    expect(answered(text).change).toContain(directive);
  });

  test("of a request with a body", () => {
    const head = `${REQUEST}\r\nContent-Length: 5`;
    const verdict = answered(refusal("400 Bad request"), {}, { request: { head, bytes: 105 } });
    expect(verdict.id).toBe("body-with-upgrade");
  });

  test("quotes the page that comes with it", () => {
    const page = "HTTP/1.1 400 Bad Request\n\n<html><h1>no\n key</h1></html>";
    expect(answered(page).says).toBe('The server refuses the request as faulty (400): "no key"');
  });

  test("is the same without a proposal: a proxy removed it", () => {
    const control = { withoutProposal: { status: 400, isSame: true } };
    const text = refusal("400 Bad Request", "Server: nginx");
    expect(answered(text, { control }).id).toBe("upgrade-ignored");
    expect(answered(text).id).toBe("bad-request");
  });
});

describe("no answer, or a broken one", () => {
  test.each([
    ["", { ending: "open" }, "no-answer"],
    ["", { ending: "ended" }, "closed-without-answer"],
    ["", { ending: "reset" }, "reset"],
    ["HTTP/1.1 101 Swi", { ending: "ended" }, "head-cut"],
    ["HTTP/1.1 101 Switching Protocols\nUpgrade: web", { ending: "reset" }, "head-cut"],
    ["HTTP/1.1 200 OK\nA: b\n", { ending: "open" }, "head-unfinished"],
    ["SSH-2.0-OpenSSH_9.2\n", { ending: "open" }, "not-http"],
    ["HTTP/1.1 abc\n\n", { failure: { code: "BAD_STATUS", message: "m" } }, "malformed-answer"],
    ["HTTP/1.1 101 a\n\n", { failure: { code: "UNEXPECTED_SWITCH", message: "m" } }, "unasked-101"],
    [
      "HTTP/1.1 101 a\nb\n\n",
      { failure: { code: "MALFORMED_FIELD", message: "m" } },
      "malformed-answer",
    ],
    [
      "HTTP/1.1 101 a\nConnection: keep-alive, upgrade\nUpgrade: h2c\n\n",
      { failure: { code: "BAD_SWITCH", message: "m" } },
      "protocol-not-offered",
    ],
    [
      "HTTP/1.1 101 a\n\n",
      { failure: { code: "AGREEMENT_FAILED", message: "m", reason: "new" } },
      "wrong-agreement",
    ],
    ["HTTP/1.1 103 a\n\n", { failure: { code: "X", message: "m" } }, "exchange-failed"],
  ] as const)("%j with %j is %s", (text, exchange, id) => {
    const verdict = answered(text, {}, exchange as Partial<ExchangeFacts>);
    expect(verdict.id).toBe(id);
    expect(verdict.exit).toBe(7);
  });
});

describe("the table", () => {
  test.each(Object.entries(VERDICTS))("%s is one line that begins a sentence", (_, row) => {
    expect(row.says).toMatch(/^[A-Z{]/);
    expect(row.says).not.toMatch(/[\n.]$/);
    expect(row.says.length).toBeLessThan(170);
    expect(row.change).not.toBe("");
  });
});
