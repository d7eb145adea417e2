import { block } from "@/lib/format";
import { TextBlock } from "./text-block";

type Message = { role: string; content: unknown };

function isMessages(value: unknown): value is Message[] {
  return (
    Array.isArray(value) &&
    value.every((item) => typeof item === "object" && item !== null && "role" in item && "content" in item)
  );
}

type HttpRequest = { method: string; url: string; headers?: string[]; body: unknown };

function isHttpRequest(value: unknown): value is HttpRequest {
  return typeof value === "object" && value !== null && "method" in value && "url" in value;
}

/** What was sent to a service. Of its headers only the names are known here. */
function HttpRequestView({ method, url, headers = [], body }: HttpRequest) {
  const names = headers.length > 0 ? `headers: ${headers.join(", ")}` : undefined;
  return <TextBlock label={`${method} ${url}`} text={block(body)} aside={names} />;
}

function unwrap(value: unknown): unknown {
  if (typeof value !== "string" || !/^\s*[[{]/.test(value)) return value;
  try {
    return JSON.parse(value);
  } catch {
    return value;
  }
}

/** A prompt: its messages one by one where it has them, else what was sent, to a model or to a service. */
export function Messages({ messages }: { messages: unknown }) {
  const sent = unwrap(messages);
  if (isHttpRequest(sent)) return <HttpRequestView {...sent} />;
  const inner = typeof sent === "object" && sent !== null && "messages" in sent ? sent.messages : sent;
  if (!isMessages(inner)) return <TextBlock label="Request" text={block(messages)} />;
  return inner.map(({ role, content }, index) => (
    // biome-ignore lint/suspicious/noArrayIndexKey: messages have no identity but their place
    <TextBlock key={index} label={role} text={block(content)} />
  ));
}
