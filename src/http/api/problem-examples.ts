/** What each problem may say, for the API's description. A code without an example does not compile. */

import type { Code } from "../../errors.ts";

const login = 'The login at "example.com"';
const server = 'The XMPP server of "example.com"';
const message = 'The message to "bob@example.com"';

export const problemExamples: Readonly<Record<Code, string>> = {
  no_such_path: 'There is nothing at "/mgs/bob"; messages are posted to "/msg/".',
  method_not_allowed: "Messages are sent with POST, not with GET.",
  duplicate_header: 'The header "authorization" was sent more than once; it may come once.',
  bad_host: 'The Host header "a b" could not be used; a name or an address is needed.',
  bad_path: 'The recipient "bob%FF" in the path is not percent-encoded UTF-8.',
  bad_json: "The body could not be read as JSON: expected '}'.",
  bad_form: "The form could not be decoded in its charset, which is UTF-8 unless Content-Type says otherwise.",
  bad_text: "The body could not be decoded in its charset, which is UTF-8 unless Content-Type says otherwise.",
  bad_xml: "The body could not be read as XML: line 1, column 10: unclosed tag: message; one <message/> is needed.",
  malformed_html:
    'The field "html" could not be used: line 1, column 9: unclosed tag: b; a well-formed XHTML fragment is needed.',
  cross_site: "A page of another site made a browser send this request; only those of [http] allowed_origins may.",
  credentials_missing:
    "The request has no HTTP Basic credentials; they are needed, with a bare JID, user@domain, as user-id.",
  credentials_unusable: "The HTTP Basic credentials could not be used: they are not base64.",
  credentials_rejected: `${login} was refused: this account and password were not accepted.`,
  host_not_allowed: 'Users of "example.net" may not send through this gateway; it needs [hosts."example.net"].',
  throttled: "Too many logins have failed from this address or for this account; the next try is possible in 42 s.",
  logins_paused:
    "Too many logins have failed at this XMPP server; passwords that have not worked here before are tried again in 30 s.",
  recipient_not_allowed:
    'Users of "example.com" may not send to "bob@example.net" through this gateway; their host\'s recipients do not allow it.',
  body_too_large: "The body is larger than 65536 bytes, which is the most that [http] max_body allows.",
  upload_too_slow: "The body did not arrive in time: 12 bytes had come; at least 100 bytes/s are needed.",
  stanza_too_large: "The message makes a stanza of 300000 bytes, where the XMPP server takes at most 262144.",
  stanza_complaint: `${message} was not sent: the XMPP server ends the connection when it comes (812 bytes).`,
  unsupported_media_type:
    'A body of type "image/png" could not be read; one of text/plain, application/x-www-form-urlencoded, multipart/form-data, application/json is needed.',
  unsupported_content_encoding: 'The body has the content encoding "gzip"; it is needed as it is.',
  no_recipient: 'The message is for nobody; a recipient is needed, in the path or in the field "to".',
  bad_recipient: 'The recipient "bob@@example.com" is not an XMPP address: its domain has the character "@".',
  too_many_recipients:
    "The message is for more than 100 recipients, the most that are taken here; the setting is [http] max_recipients.",
  recipient_conflict:
    'The path says "bob@example.com" and the field "to" says "carol@example.com"; one recipient is needed.',
  unknown_field: 'There is no field "boddy"; did you mean "body"?',
  bad_field: 'The field "body" could not be used: a text was needed, not a number.',
  bad_type: 'The type "loud" is none of chat, normal, headline, groupchat.',
  bad_stanza:
    'The <message/> could not be used: <message/> has no attribute "lang", only to, from, id, type and xml:lang.',
  kind_not_offered: 'The kind "iq" is not offered; this gateway sends messages, and neither presence nor iq.',
  foreign_sender:
    'The message says that it is from "carol@example.com", but "alice@example.com" has logged in; it can be from nobody else.',
  forbidden_character:
    'The field "body" has the character U+0007 at position 4, which XMPP cannot carry; leave it out.',
  empty_message: 'The message says nothing; the field "body" is needed, or another one like it.',

  internal_error: "The request could not be served because of a fault in post-msg.",
  overloaded: "All 1000 sessions of this gateway are busy; another account has to wait.",
  shutting_down: "post-msg is being stopped and takes no more messages.",
  withdrawn: `${message} was not sent, because the connection took no more data in time.`,

  name_not_found: 'The name "example.com" does not exist in DNS.',
  name_lookup_failed: 'The name "example.com" could not be looked up in DNS.',
  server_unreachable: `${server} could not be reached.`,
  login_timeout: `${login} was not done within 15 s.`,
  tls_not_offered: `${login} was not begun: the connection is not encrypted.`,
  tls_failed: `The encryption of the connection to "example.com" could not be negotiated.`,
  tls_injection: `The connection to "example.com" held data that was sent before it was encrypted.`,
  certificate_expired: `The certificate of "example.com" has expired.`,
  certificate_not_yet_valid: `The certificate of "example.com" is not valid yet.`,
  certificate_name_mismatch: `The certificate of the XMPP server is not for "example.com".`,
  certificate_self_signed: `The certificate of "example.com" is signed by itself.`,
  certificate_untrusted: `The certificate of "example.com" is signed by nobody who is trusted here.`,
  no_common_mechanism: `${login} could not be done: the server offers no mechanism that the gateway has.`,
  server_not_proven: `${server} did not prove that it knows the password.`,
  host_unknown: `${server} ended the connection: it does not serve this domain.`,
  protocol_error: `${server} said something that XMPP does not allow at this point.`,
  stream_closed: `The connection to the XMPP server of "example.com" ended before the message was sent.`,
  server_busy: `${server} ended the connection: it is overloaded.`,
  server_shutdown: `${server} ended the connection: it is shutting down.`,
  server_policy: `${server} ended the connection: its policy does not allow what was sent on it, or not so much of it.`,
  session_replaced: `${server} ended the connection: another session of this account has taken its place.`,
  login_expired: `${server} ended the connection: the account's password or rights have changed, and a new login is needed.`,
  login_failed: `${login} was refused: the server gave a reason that the gateway does not know.`,
  login_temporarily_failed: `${login} was refused: the server cannot check passwords at the moment.`,
  password_needed: `${login} needs the password again.`,

  bad_request: `${message} was refused: the server does not regard it as a valid message.`,
  conflict: `${message} was refused: it conflicts with something that exists already.`,
  feature_not_implemented: `${message} was refused: the server does not implement what it asks for.`,
  forbidden: `${message} was refused: the sender does not have the rights for it.`,
  gone: `${message} was refused: the recipient is no longer at this address.`,
  internal_server_error: `${message} was refused: the server has a fault.`,
  item_not_found: `${message} was refused: there is no such recipient.`,
  jid_malformed: `${message} was refused: the server does not regard the recipient as a valid address.`,
  not_acceptable: `${message} was refused: it does not meet what the recipient or server demands.`,
  not_allowed: `${message} was refused: the server allows it to nobody, or does not talk to that domain.`,
  not_authorized: `${message} was refused: the server does not take the sender as logged in, or wants a further password.`,
  payment_required: `${message} was refused: the server wants to be paid for it.`,
  policy_violation: `${message} was refused: it is against the server's policy.`,
  recipient_unavailable: `${message} was refused: the recipient is not available at the moment.`,
  redirect: `${message} was refused: the server wants it sent to another address, which the gateway does not do by itself.`,
  registration_required: `${message} was refused: the sender has to register there first.`,
  remote_server_not_found: `${message} was refused: the recipient's server could not be found.`,
  remote_server_timeout: `${message} was refused: the recipient's server could not be reached in time.`,
  resource_constraint: `${message} was refused: the server lacks the resources, such as room in a queue.`,
  service_unavailable: `${message} was refused: the recipient does not exist or cannot be reached.`,
  subscription_required: `${message} was refused: the sender has to subscribe to the recipient first.`,
  undefined_condition: `${message} was refused: the server gave a reason that the gateway does not know.`,
  unexpected_request: `${message} was refused: the server did not expect it at this point.`,
  temporarily_refused: `${message} was refused: the server has a fault; the server says that this is temporary.`,

  no_such_room: 'There is no room "ops@conference.example.com"; the field "create_room" would make one.',
  room_full:
    'The room "ops@conference.example.com" could not be entered: it has as many occupants as it may have, or its service has no room for more.',
  room_password_needed:
    'The room "ops@conference.example.com" could not be entered: it has a password; the field "room_password" has to have it.',
  expelled: 'The sender has been put out of the room "ops@conference.example.com": kicked.',

  room_silent:
    'The server took the message to "ops@conference.example.com", and the room did not show it in time; it may or may not have been sent.',
  ack_timeout: `${server} did not acknowledge the message to "bob@example.com" in time; it may or may not have been sent.`,
  connection_lost: `The connection to the XMPP server of "example.com" was lost before it acknowledged the message to "bob@example.com", which may or may not have been sent.`,
  shutdown_unacknowledged:
    'post-msg was stopped before the message to "bob@example.com" was acknowledged; it may or may not have been sent.',
};
