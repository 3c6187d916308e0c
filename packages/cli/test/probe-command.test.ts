import { describe, expect, test } from "vitest";
import { ran } from "./command-line.ts";
import { answering, closeAfterEach, serving } from "./stage.ts";

closeAfterEach();

describe("the report", () => {
  test("has the cause in its first line, what to change in its second, and the evidence below", async () => {
    const port = await answering(
      "HTTP/1.1 426 Upgrade Required\r\nServer: nginx/1.22.1\r\nVia: 1.1 edge\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nContent-Length: 0\r\n\r\n",
    );
    const { exit, out, error } = await ran(["probe", "--no-proxy", `ws://127.0.0.1:${port}/chat`]);
    const [first, second] = out.split("\n");
    expect(first).toBe(
      "✗ nginx did not relay Upgrade: the answer is 426 and asks for websocket, which the request had.",
    );
    expect(second).toContain('proxy_set_header Connection "upgrade";');
    expect(out).toContain(`you ──TCP──▶ 127.0.0.1:${port} (nginx/1.22.1) ──HTTP──▶ via 1.1 edge ✗`);
    expect(out).toContain("ok hop: Server: nginx/1.22.1\nok hop: Via: 1.1 edge\n");
    expect(out).toContain("> GET /chat HTTP/1.1\n");
    expect(out).toContain("< HTTP/1.1 426 Upgrade Required\n");
    expect(exit).toBe(6);
    expect(error).toBe("");
  });

  test("shows secrets only if it is asked to", async () => {
    const port = await serving();
    const url = `ws://user:secret1@127.0.0.1:${port}/?token=secret2`;
    const args = ["probe", "--no-proxy", url, "-H", "Cookie: secret3"];
    const basic = Buffer.from("user:secret1").toString("base64");
    for (const format of [[], ["--json"]]) {
      const { out } = await ran([...args, ...format]);
      for (const secret of ["secret1", "secret2", "secret3", basic])
        expect(out).not.toContain(secret);
      const shown = (await ran([...args, ...format, "--show-secrets"])).out;
      for (const secret of ["secret2", "secret3", basic]) expect(shown).toContain(secret);
    }
  });

  test("has colors, progress and a table on a terminal, and none of them in a pipe", async () => {
    const port = await serving();
    const args = ["probe", "--no-proxy", `ws://127.0.0.1:${port}/`];
    const terminal = await ran(args, { columns: 80, colors: true });
    expect(terminal.out).toContain("\u001b[32m");
    expect(terminal.error).toContain("… connecting to");
    for (const line of terminal.out.split("\n")) {
      if (line.includes(" ms"))
        expect(line.replaceAll(/\u001b\[\d+m/g, "").length).toBeLessThan(81);
    }
    const plain = await ran(args, { columns: 80, colors: false });
    expect(plain.out).not.toContain("\u001b[");
    const pipe = await ran(args);
    expect(`${pipe.out}${pipe.error}`).not.toContain("\u001b");
  });

  test("is one object with --json", async () => {
    const port = await serving();
    const { out, exit } = await ran(["probe", "--no-proxy", "--json", `ws://127.0.0.1:${port}/`]);
    const { format, verdict, hops, facts } = JSON.parse(out);
    expect(format).toBe(1);
    expect(verdict).toMatchObject({ id: "switched", exit: 0, class: "healthy" });
    expect(hops).toEqual([{ name: `127.0.0.1:${port}`, by: "TCP", isReached: true }]);
    expect(facts.exchange.answer.status).toBe(101);
    expect(facts.after.early).toMatchObject({ by: "ping", survived: true });
    expect(exit).toBe(0);
  });
});

describe("a command line that is wrong exits with 2 and says what to type", () => {
  test.each([
    [["probe", "a.test:80/x"], "Type: ws://a.test:80/x"],
    [["probe", "ftp://a.test/"], "Type: ws://a.test/"],
    [["probe", "ws://a.test", "-H", "no field"], 'Type: --header "Origin: https://a.test"'],
    [["probe", "ws://a.test", "-H", "Upgrade: echo"], "Type: --protocol echo"],
    [["probe", "ws://a.test", "-H", "Connection: close"], "Type: --protocol TOKEN"],
    [["probe", "ws://a.test", "-p", "a b"], "Type: --protocol websocket"],
    [["probe", "ws://a.test", "-t", "soon"], "Type: --timeout 10"],
    [["probe", "ws://a.test", "-t", "0"], "Type: --timeout 10"],
    [["probe", "ws://a.test", "-X", "CONNECT"], "Type: --proxy ws://a.test"],
    [["probe", "ws://a.test", "--ca", "/no/such/file"], "Type: --ca cert.pem"],
    [["probe", "ws://a.test", "--proxy", "socks5://a.test"], "Type: --proxy http://host:3128"],
    [["prob", "ws://a.test"], "(Did you mean probe?)"],
    [["probe", "ws://a.test", "--jsno"], "(Did you mean --json?)"],
    [["probe"], "missing required argument 'url'"],
  ])("%j", async (args, says) => {
    const { exit, out, error } = await ran(args);
    expect(exit).toBe(2);
    expect(error).toContain(says);
    expect(out).toBe("");
  });

  test.each([
    [["-H", "Content-Length: 9", "-d", "hello"], "Content-Length"],
    [["-H", "Host: a b"], "Host"],
    [["-X", "a b"], "the method is not a token"],
    [["--target", "no path"], "the request target"],
  ])("a request that may not be sent: %j", async (args, says) => {
    const port = await serving();
    const { exit, error } = await ran(["probe", "--no-proxy", ...args, `ws://127.0.0.1:${port}/`]);
    expect(exit).toBe(2);
    expect(error).toContain(says);
  });

  test("help is no mistake, and lists the exit codes", async () => {
    const { exit, out } = await ran(["--help"]);
    expect(exit).toBe(0);
    expect(out).toContain("  6  an ordinary response instead of a switch");
  });
});
