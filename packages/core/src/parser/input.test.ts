import { expect, test } from "vitest";
import { Input } from "./input.ts";

const octets = (...values: number[]) => Uint8Array.from(values);

// Reads `count` octets one at a time.
function read(input: Input, count: number): number[] {
  const got: number[] = [];
  for (let i = 0; i < count; i++) {
    got.push(input.chunk[input.at]!);
    input.advance(1);
  }
  return got;
}

test("chunks are read in order, and counted", () => {
  const input = new Input();
  expect([input.length, input.offset]).toEqual([0, 0]);
  input.add(octets(1, 2));
  input.add(octets());
  input.add(octets(3));
  input.add(octets(4, 5));
  expect(input.length).toBe(5);
  expect(read(input, 4)).toEqual([1, 2, 3, 4]);
  expect([input.length, input.offset]).toEqual([1, 4]);
  input.add(octets(6));
  expect(read(input, 2)).toEqual([5, 6]);
  expect([input.length, input.offset]).toEqual([0, 6]);
});

test("nothing is copied before takeAll", () => {
  const input = new Input();
  const chunk = octets(1, 2, 3);
  input.add(chunk);
  expect(input.chunk).toBe(chunk);
  input.advance(1);
  const rest = input.takeAll();
  chunk[1] = 9;
  expect([...rest]).toEqual([2, 3]);
  expect(rest.buffer.byteLength).toBe(2);
});

test("L1: takeAll leaves nothing, and the offset continues", () => {
  const input = new Input();
  input.add(octets(1, 2));
  input.add(octets(3));
  input.add(octets(4));
  input.advance(1);
  expect([...input.takeAll()]).toEqual([2, 3, 4]);
  expect([input.length, input.offset]).toEqual([0, 4]);
  expect([...input.takeAll()]).toEqual([]);
  input.add(octets(5));
  expect(read(input, 1)).toEqual([5]);
  expect(input.offset).toBe(5);
});

test("a long queue is read in order, and takeAll returns all that is left", () => {
  for (const count of [0, 1, 2, 3, 7, 50, 99, 100]) {
    const input = new Input();
    for (let i = 0; i < 100; i++) input.add(octets(i));
    expect(read(input, count)).toEqual(Array.from({ length: count }, (_, i) => i));
    expect([input.length, input.offset]).toEqual([100 - count, count]);
    input.add(octets(100));
    expect([...input.takeAll()]).toEqual(Array.from({ length: 101 - count }, (_, i) => count + i));
  }
});

test("a chunk is released once it is read: an idle connection holds none", () => {
  const input = new Input();
  input.add(octets(1, 2));
  read(input, 2);
  expect(input.chunk.length).toBe(0);
  expect(input.offset).toBe(2);
});
