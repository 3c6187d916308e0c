// The home page: the README's first paragraph and first sample, and three ways in.
const WAYS = [
  {
    title: "Install a package",
    code: "npm install @upgrade/node @upgrade/server @upgrade/client",
    text: "Both ends, on Node's sockets.",
    link: "/guides/install#install",
    label: "Install",
  },
  {
    title: "Run the chat",
    code: "npm run demo -- --trace",
    text: "In a clone: every byte of a WebSocket's handshake, from end to end.",
    link: "/guides/chat",
    label: "The chat",
  },
  {
    title: "Extend the server",
    code: "switching([[protocol, speak]], otherwise)",
    text: "A protocol of your own is one object, used by both ends.",
    link: "/guides/your-own-protocol",
    label: "A protocol of your own",
  },
];

/** Made of the text of the README, whose first sample is a tested one. */
export function homePage(readme) {
  const [, lead = ""] = /^# .+?\n\n(.+?)\n\n/s.exec(readme) ?? [];
  const [sample] = /^```ts\n.*?^```$/ms.exec(readme) ?? [];
  if (sample === undefined) throw new Error("README.md: there is no sample");
  return `---
layout: page
title: upgrade
titleTemplate: HTTP/1.1 over any transport, up to the upgrade and beyond
pageClass: home
sidebar: false
---

<div class="hero vp-doc">
<div class="pitch">

# upgrade

${lead}

<div class="actions">

[First connection](/guides/install) [Your own protocol](/guides/your-own-protocol) [Reference](/reference/)

</div>

<div class="ways">

${WAYS.map(wayOf).join("\n\n")}

</div>
</div>
<div class="sample">

${sample}

</div>
</div>
`;
}

function wayOf({ title, code, text, link, label }) {
  return `<div class="way">

### ${title}

\`${code}\`

${text} [${label}](${link})

</div>`;
}
