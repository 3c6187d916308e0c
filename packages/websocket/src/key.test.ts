import { afterEach, expect, test, vi } from "vitest";
import { acceptOf } from "./key.ts";

afterEach(() => {
  vi.restoreAllMocks();
});

// RFC 6455 §1.3.
const EXAMPLE = ["dGhlIHNhbXBsZSBub25jZQ==", "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="] as const;

test("the example of the RFC, with Node's hash and with ours", () => {
  const [key, accept] = EXAMPLE;
  expect(acceptOf(key)).toBe(accept);
  vi.spyOn(process, "getBuiltinModule").mockReturnValue(undefined as never);
  expect(acceptOf(key)).toBe(accept);
});
