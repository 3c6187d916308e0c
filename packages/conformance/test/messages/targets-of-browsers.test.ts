import { HttpConnection, type RequestEvent } from "@upgrade/core";
import { describe, expect, test } from "vitest";

// What users type after a host, and what `new WebSocket(url)` and `fetch(url)` send of it: Node and all
// browsers implement the same URL standard.
const TYPED = [
  ...["/?t=1", "/?token=a|b", "/?a[]=1&b[c]=2", '/?q={"a":1}', "/?x=a^b", "/?x=a`b", "/?x=a\\b"],
  ...["/?x=100%", "/?x=%zz", "/a|b", "/a[1]", "/a{1}", "/a^b", "/a`b", '/?x="q"', "/?x=<b>"],
  ...["/?x=a b", "/?x=\u00e9\u4e16", "/\u00e9", "/?x='q'", "/%"],
];

describe("R14: a target that a browser sends arrives verbatim", () => {
  test.each(TYPED)("ws://a.test%s", (typed) => {
    for (const scheme of ["ws", "http"]) {
      const { pathname, search } = new URL(typed, `${scheme}://a.test`);
      const target = pathname + search;
      const client = new HttpConnection("client");
      const bytes = client.send({
        type: "request",
        method: "GET",
        target,
        headers: { Host: "a.test" },
      });
      // In one piece it takes the scanner's path; octet by octet it takes the other.
      for (const size of [bytes.length, 1]) {
        const server = new HttpConnection("server");
        let event: unknown;
        for (let at = 0; at < bytes.length; at += size) {
          server.receiveData(bytes.subarray(at, at + size));
          event = server.nextEvent();
        }
        expect((event as RequestEvent).target).toBe(target);
      }
    }
  });
});
