// The page in Chromium: the chat, the panel, refusals, reconnecting, and accessibility.

import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { type Browser, chromium, type Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { installed } from "../../../packages/conformance/src/installed.ts";
import { MAX_PEOPLE } from "../src/room.ts";
import type { ChatServer } from "../src/server.ts";
import { joinChat } from "../src/terminal-client.ts";
import { afterTest, bundledPage, chat } from "./chat-fixture.ts";

const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

interface Violation {
  readonly id: string;
  readonly nodes: readonly { readonly html: string; readonly failureSummary?: string }[];
}

describe("the page in Chromium", () => {
  const path = installed("Chromium");
  let script: Uint8Array;
  let browser: Browser | undefined;

  beforeAll(() => {
    script = bundledPage();
  });
  afterAll(() => browser?.close());

  async function visit(
    server: ChatServer,
    query = "",
    options: Parameters<Browser["newContext"]>[0] = {},
  ): Promise<Page> {
    browser ??= await chromium.launch({ executablePath: path(), args: ["--no-sandbox"] });
    const context = await browser.newContext({
      viewport: { width: 1280, height: 800 },
      ...options,
    });
    afterTest(() => context.close());
    const page = await context.newPage();
    const failures: string[] = [];
    page.on("pageerror", ({ message }) => failures.push(message));
    afterTest(() => expect(failures).toEqual([]));
    await page.goto(server.url + query);
    return page;
  }

  async function joined(server: ChatServer, name: string, options = {}): Promise<Page> {
    const page = await visit(server, `?name=${name}`, options);
    await page.locator("#state[data-is=open]").waitFor();
    return page;
  }

  async function say(page: Page, text: string): Promise<void> {
    await page.fill("#input", text);
    await page.press("#input", "Enter");
  }

  test("two people see each other, and text stays text", async () => {
    const server = await chat({ script });
    const page = await joined(server, "alice");
    const bob = await joinChat(new URL(server.url), { name: "bob" });
    await page.getByText("2 people here").waitFor();
    bob.say("<b>bold</b> see https://a.test/x.");
    await page.locator(".said").getByText("<b>bold</b> see").waitFor();
    expect(await page.locator(".said a").getAttribute("href")).toBe("https://a.test/x");
    await page.fill("#input", "one");
    await page.press("#input", "Shift+Enter");
    await page.keyboard.type("two");
    await page.press("#input", "Enter");
    await page.locator(".said.mine:not(.pending)").waitFor();
    await bob.next();
    await bob.next();
    expect(await bob.next()).toEqual({ type: "message", from: "alice", text: "one\ntwo" });
    expect(await page.locator(".day").count()).toBe(1);
  });

  test("a long message is folded until it is opened", async () => {
    const server = await chat({ script });
    const page = await joined(server, "alice");
    await say(page, "a long line\n".repeat(30));
    const more = page.getByRole("button", { name: "Show all" });
    await more.waitFor();
    const height = () => page.locator(".said .text").evaluate((text) => text.clientHeight);
    const folded = await height();
    await more.click();
    expect(await height()).toBeGreaterThan(2 * folded);
  });

  test("the panel shows this connection: both heads, the states, the switch, readBuf, frames", async () => {
    const server = await chat({ script });
    const page = await joined(server, "alice");
    await page.locator(".frames li").first().waitFor();
    const wire = page.locator("#wire");
    const text = await wire.innerText();
    expect(text).toMatch(/GET \/chat\?name=alice&wire=\w+ HTTP\/1\.1/);
    for (const line of [
      "Connection: Upgrade",
      "Upgrade: websocket",
      "Sec-WebSocket-Version: 13",
      "HTTP/1.1 101 Switching Protocols",
      "The switch",
      "readBuf holds 0 bytes",
      '{"type":"welcome","you":"alice","people":[]}',
    ]) {
      expect(text).toContain(line);
    }
    expect(await wire.locator("[aria-current]").allInnerTexts()).toEqual([
      "switched-protocol",
      "switched-protocol",
      "released",
    ]);
    expect(await wire.locator('a:text-is("RFC 9110 §7.8")').first().getAttribute("href")).toBe(
      "https://www.rfc-editor.org/rfc/rfc9110#section-7.8",
    );
  });

  test.each([
    ["A wrong subprotocol", "400", "All that the page itself was told is the close code 1006"],
    ["No Connection option", "426", "The server's own client asked this"],
    ["Version 8", "426", "That client read a response with status 426"],
    ["A page of another site", "403", "status 403"],
    ["A short key", "400", "status 400"],
    ["A wrong address", "404", "status 404"],
  ])("the refusal %s is shown as a response: %s", async (title, status, remark) => {
    const server = await chat({ script });
    const page = await visit(server);
    await page.getByRole("button", { name: title, exact: true }).click();
    await page.getByText(remark).waitFor();
    const text = await page.locator("#wire").innerText();
    expect(text).toContain(`HTTP/1.1 ${status} `);
    expect(text).not.toContain("The switch");
    expect(text.includes("it proposes nothing")).toBe(title === "No Connection option");
    expect(text).not.toContain("switched-protocol\nno longer");
  });

  test("after a restart the page comes back by itself, with what was said meanwhile", async () => {
    const first = await chat({ script });
    const { port } = first;
    const page = await joined(first, "alice");
    await first.close("restarting");
    await page.getByText("the server is restarting").waitFor();
    await say(page, "still here?");
    await page.locator(".said.pending").waitFor();
    const second = await chat({ script, port });
    await page.locator("#state[data-is=open]").waitFor();
    await page.locator(".said.mine:not(.pending)").getByText("still here?").waitFor();
    expect(second.room.names).toEqual(["alice"]);
  });

  test("a full room says so, and lets in who waits when there is room", async () => {
    const server = await chat({ script });
    const people = Array.from({ length: MAX_PEOPLE }, (_, n) =>
      server.room.join(`p${n}`, () => {}),
    );
    const page = await visit(server, "?name=late");
    await page.getByText("the room is full").first().waitFor();
    server.room.leave(people[0]!);
    await page.getByText(`${MAX_PEOPLE} people here`).waitFor();
  });

  test("a name that is none is refused in words, and asked for again", async () => {
    const server = await chat({ script });
    const page = await visit(server, `?name=${"x".repeat(25)}`);
    await page.getByText("that is not a name").first().waitFor();
    await page.getByRole("button", { name: "Join" }).waitFor();
  });

  test("each address has a room of its own", async () => {
    const server = await chat({ script });
    const page = await joined(server, "alice");
    await page.goto(`${server.url}r/garden?name=alice`);
    await page.getByText("in garden").waitFor();
    await page.locator("#state[data-is=open]").waitFor();
    expect(server.room.names).toEqual([]);
  });

  test.each([
    ["light", 375],
    ["dark", 375],
    ["light", 768],
    ["dark", 1280],
    ["light", 1280],
  ] as const)("has no violation of axe's rules: %s, %i px", async (colorScheme, width) => {
    const server = await chat({ script });
    const viewport = { width, height: 720 };
    // axe is a text that the page would not evaluate.
    const options = { viewport, colorScheme, reducedMotion: "reduce", bypassCSP: true } as const;
    const page = await joined(server, "alice", options);
    await say(page, `${"long\n".repeat(20)}https://a.test/`);
    await page.locator(".said.mine:not(.pending)").waitFor();
    for (const view of ["Chat", "The wire"]) {
      const tab = page.getByRole("button", { name: view, exact: true });
      if (await tab.isVisible()) await tab.click();
      await page.evaluate(axe);
      const found = await page.evaluate(async () => {
        const { axe: rules } = globalThis as unknown as {
          axe: { run(): Promise<{ violations: Violation[] }> };
        };
        const { violations } = await rules.run();
        return violations.map(
          ({ id, nodes }) => `${id}: ${nodes[0]?.html} ${nodes[0]?.failureSummary}`,
        );
      });
      expect(found).toEqual([]);
      const overflow = await page.evaluate(
        "document.documentElement.scrollWidth - document.documentElement.clientWidth",
      );
      expect(overflow).toBe(0);
    }
  });
});
