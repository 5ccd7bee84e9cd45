/** The parts of @xmpp/connection-tcp and @xmpp/xml 0.14 that src/xmpp uses; the packages ship no types. */

declare module "@xmpp/xml" {
  export class Element {
    constructor(name: string, attrs?: Record<string, string | undefined>);
    readonly name: string;
    readonly attrs: Record<string, string | undefined>;
    parent: Element | null;
    readonly children: (Element | string)[];
    is(name: string, xmlns?: string): boolean;
    getNS(): string | undefined;
    getName(): string;
    getChild(name: string, xmlns?: string): Element | undefined;
    getChildren(name: string, xmlns?: string): Element[];
    getChildElements(): Element[];
    getChildText(name: string, xmlns?: string): string | null;
    getText(): string;
    append(...nodes: (Element | string)[]): void;
    toString(): string;
  }
  export default function xml(
    name: string,
    attrs?: Record<string, string | undefined>,
    ...children: (Element | string)[]
  ): Element;
  export function escapeXML(text: string): string;
  export function escapeXMLText(text: string): string;
}

declare module "@xmpp/connection-tcp" {
  import type { EventEmitter } from "node:events";
  import type { Duplex } from "node:stream";
  import type { Element } from "@xmpp/xml";

  export default class ConnectionTCP extends EventEmitter {
    constructor(options: { readonly domain: string });
    NS: string;
    Parser: new () => EventEmitter;
    /** Milliseconds after which the library's own waits reject; 0 leaves the waiting to its caller. */
    timeout: number;
    status: string;
    socket: Duplex | null;
    parser: EventEmitter | null;
    _attachSocket(socket: Duplex): void;
    _detachSocket(): void;
    _onData(data: Buffer): void;
    _onElement(element: Element): void;
    headerElement(): Element;
    open(options: { readonly domain: string; readonly lang?: string }): Promise<Element>;
    restart(): Promise<Element>;
    send(element: Element): Promise<void>;
    write(text: string): Promise<void>;
    footer(): string;
  }
}
