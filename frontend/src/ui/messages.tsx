import { block } from "@/lib/format";
import { TextBlock } from "./text-block";

type Message = { role: string; content: unknown };

function isMessages(value: unknown): value is Message[] {
  return (
    Array.isArray(value) &&
    value.every((item) => typeof item === "object" && item !== null && "role" in item && "content" in item)
  );
}

function unwrap(value: unknown): unknown {
  if (typeof value !== "string" || !/^\s*[[{]/.test(value)) return value;
  try {
    return JSON.parse(value);
  } catch {
    return value;
  }
}

/** A prompt: its messages one by one where it has them, else what was sent. */
export function Messages({ messages }: { messages: unknown }) {
  const sent = unwrap(messages);
  const inner = typeof sent === "object" && sent !== null && "messages" in sent ? sent.messages : sent;
  if (!isMessages(inner)) return <TextBlock label="Request" text={block(messages)} />;
  return inner.map(({ role, content }, index) => (
    // biome-ignore lint/suspicious/noArrayIndexKey: messages have no identity but their place
    <TextBlock key={index} label={role} text={block(content)} />
  ));
}
