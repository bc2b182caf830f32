// A wallet, an issuer and a verifier that speak WACI-DIDComm, put together of what others have published: what is said and when is decided by
// Extrimian's interpreter of the profile, envelopes are SICPA's, and what is signed is signed by Digital Bazaar's
// libraries. Only what carries these together is here: keys, DIDs, HTTP.
//
// It does what it is told: one JSON object a line on standard input, {id, do, with}, and one a line on standard output
// for each, {id, ok} or {id, error}.
//
// Usage: node driver.mjs PORT CONTEXTS, where CONTEXTS is a file of JSON-LD contexts by URL, so that none is fetched.

import { generateKeyPairSync, randomUUID } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { createServer } from 'node:http'

import { Ed25519Signature2020 } from '@digitalbazaar/ed25519-signature-2020'
import { Ed25519VerificationKey2020 } from '@digitalbazaar/ed25519-verification-key-2020'
import * as vc from '@digitalbazaar/vc'
import { Actor, WACIInterpreter } from '@extrimian/waci'
import { decode, encode } from 'base58-universal'
import { Message } from 'didcomm-node'

import { eventually, serve } from './driven.mjs'

const [port, contextsFile] = process.argv.slice(2)
const contexts = JSON.parse(readFileSync(contextsFile, 'utf8'))

// The interpreter names copies of these on its makers' server; who signs may name the originals.
const ORIGINALS = {
  'securityv1.jsonld': 'https://w3id.org/security/suites/ed25519-2020/v1',
  'credentialsv1.jsonld': 'https://www.w3.org/2018/credentials/v1',
  'credential-manifestapplicationv1.jsonld': 'https://identity.foundation/credential-manifest/application/v1',
  'presentation-exchangesubmissionv1.jsonld': 'https://identity.foundation/presentation-exchange/submission/v1',
}
const W3C_CREDENTIALS = ORIGINALS['credentialsv1.jsonld']

// Keys and DIDs

const ED25519 = [0xed, 0x01]
const X25519 = [0xec, 0x01]
const multikey = (codec, raw) => `z${encode(Uint8Array.from([...codec, ...raw]))}`
const bytes = (text) => Buffer.from(text, 'base64url')
const generated = (kind) => generateKeyPairSync(kind).privateKey.export({ format: 'jwk' })

const signing = generated('ed25519')
const agreeing = generated('x25519')
const service = { t: 'dm', s: { uri: `http://localhost:${port}/didcomm`, a: ['didcomm/v2'] } }
const publicKeyMultibase = multikey(ED25519, bytes(signing.x))
const me =
  `did:peer:2.A${publicKeyMultibase}.V${publicKeyMultibase}.E${multikey(X25519, bytes(agreeing.x))}` +
  `.S${Buffer.from(JSON.stringify(service)).toString('base64url')}`
const privateKeyMultibase = multikey([0x80, 0x26], [...bytes(signing.d), ...bytes(signing.x)])
const keyPair = { controller: me, publicKeyMultibase, privateKeyMultibase }
const suiteOf = async (id) => new Ed25519Signature2020({ key: await Ed25519VerificationKey2020.from({ id, ...keyPair }) })
const asserting = await suiteOf(`${me}#key-1`)
const authenticating = await suiteOf(`${me}#key-2`)
const secrets = [{ id: `${me}#key-3`, type: 'JsonWebKey2020', privateKeyJwk: agreeing }]
const longForms = new Map() // of did:peer:4, by the short one

function documentOf(did) {
  if (did.startsWith('did:key:')) return described(did, [[did.slice(8), did.slice(8)]])
  if (did.startsWith('did:peer:2')) return ofPeer2(did)
  const long = did.split(':').length === 4 ? did : longForms.get(did)
  if (!long) throw new Error(`${did} is not known`)
  longForms.set(long.slice(0, long.lastIndexOf(':')), long)
  const content = JSON.parse(Buffer.from(decode(long.split(':')[3].slice(1)).slice(2)).toString())
  const methods = content.verificationMethod.map((method) => [method.id.slice(1), method.publicKeyMultibase])
  const { serviceEndpoint } = content.service.find((one) => one.type === 'DIDCommMessaging')
  return described(did, methods, serviceEndpoint[0].uri)
}

function ofPeer2(did) {
  const elements = did.split('.').slice(1)
  const methods = elements.filter((one) => 'AVE'.includes(one[0])).map((one, at) => [`key-${at + 1}`, one.slice(1)])
  const services = elements.filter((one) => one[0] === 'S').map((one) => JSON.parse(bytes(one.slice(1))))
  const { s } = services.find((one) => one.t === 'dm')
  return described(did, methods, s.uri ?? s[0]?.uri ?? s)
}

function described(did, methods, uri) {
  const verificationMethod = methods.map(([fragment, text]) => {
    const raw = decode(text.slice(1))
    const crv = raw[0] === ED25519[0] ? 'Ed25519' : 'X25519'
    const publicKeyJwk = { kty: 'OKP', crv, x: Buffer.from(raw.slice(2)).toString('base64url') }
    return { id: `${did}#${fragment}`, type: 'JsonWebKey2020', controller: did, publicKeyJwk, multikey: text }
  })
  const ids = (crv) => verificationMethod.filter((one) => one.publicKeyJwk.crv === crv).map((one) => one.id)
  const endpoint = { uri, accept: ['didcomm/v2'], routing_keys: [] }
  return {
    id: did,
    verificationMethod,
    authentication: ids('Ed25519'),
    keyAgreement: ids('X25519'),
    service: uri ? [{ id: `${did}#service`, type: 'DIDCommMessaging', serviceEndpoint: endpoint }] : [],
  }
}

// Envelopes and HTTP

const dids = { resolve: async (did) => documentOf(did) }
const mine = {
  get_secret: async (id) => secrets.find((secret) => secret.id === id) ?? null,
  find_secrets: async (ids) => ids.filter((id) => secrets.some((secret) => secret.id === id)),
}

async function send({ message }) {
  const [to] = message.to
  note(message)
  const plain = new Message({ typ: 'application/didcomm-plain+json', body: {}, ...message })
  const [envelope] = await plain.pack_encrypted(to, me, null, dids, mine, { forward: false })
  const answer = await fetch(documentOf(to).service[0].serviceEndpoint.uri, {
    method: 'POST',
    headers: { 'Content-Type': 'application/didcomm-encrypted+json' },
    body: envelope,
  })
  if (!answer.ok) throw new Error(`${message.type} is answered ${answer.status}: ${await answer.text()}`)
  return message
}

createServer(async (request, response) => {
  const parts = []
  for await (const part of request) parts.push(part)
  try {
    const [message] = await Message.unpack(Buffer.concat(parts).toString(), dids, mine, {})
    response.writeHead(202).end()
    await take(message.as_value())
  } catch (error) {
    console.error(error)
    if (!response.headersSent) response.writeHead(400).end()
  }
}).listen(Number(port), '127.0.0.1')

// The profile

const threads = new Map() // the messages of each, the first ones too
const ended = new Map() // how each ended
const credentials = [] // that this wallet holds
const wallet = new WACIInterpreter()

function note(message) {
  const thread = message.thid ?? message.id
  threads.set(thread, [...(threads.get(thread) ?? []), message])
  return threads.get(thread)
}

async function take(message) {
  const thread = note(message)
  if (message.type.includes('problem')) ended.set(message.thid ?? message.pthid, `${message.body.code}`)
  if (!wallet.isWACIMessage(message)) return
  const answer = await wallet.processMessage(thread)
  if (answer) await send(answer)
}

const options = (message) => message.attachments[0].data.json.options
const originals = (content) => content['@context'].map((url) => ORIGINALS[url.split('/').pop()] ?? url)
async function documentLoader(url) {
  const [did] = url.split('#')
  const document = contexts[url] ?? (did.startsWith('did:') ? keyDocument(documentOf(did), url) : undefined)
  if (!document) throw new Error(`${url} is not at hand`)
  return { contextUrl: null, documentUrl: url, document }
}

function keyDocument(document, url) {
  const methods = document.verificationMethod
    .filter((method) => method.multikey.startsWith('z6Mk'))
    .map(({ id, controller, multikey }) => ({
      '@context': 'https://w3id.org/security/suites/ed25519-2020/v1',
      id,
      type: 'Ed25519VerificationKey2020',
      controller,
      publicKeyMultibase: multikey,
    }))
  const ids = methods.map((method) => method.id)
  return (
    methods.find((method) => method.id === url) ?? {
      '@context': ['https://www.w3.org/ns/did/v1', 'https://w3id.org/security/suites/ed25519-2020/v1'],
      id: document.id,
      verificationMethod: methods,
      authentication: ids,
      assertionMethod: ids,
    }
  )
}

async function isGenuine(credential) {
  const found = await vc.verifyCredential({ credential, suite: new Ed25519Signature2020(), documentLoader })
  if (!found.verified) console.error(JSON.stringify(found.error, undefined, 1))
  return found.verified
}

wallet.setUpFor(
  {
    getHolderDID: async () => me,
    getCredentialApplication: async () => ({ credentialsToPresent: [], presentationProofTypes: ['Ed25519Signature2020'] }),
    getCredentialPresentation: async () => ({ credentialsToPresent: credentials.slice(-1) }),
    signPresentation: async ({ contentToSign, challenge, message }) => {
      const presentation = { ...contentToSign, '@context': originals(contentToSign) }
      presentation['@context'].sort((one) => (one === W3C_CREDENTIALS ? -1 : 0))
      const { domain } = options(message)
      return await vc.signPresentation({ presentation, suite: authenticating, challenge, domain, documentLoader })
    },
    handleCredentialFulfillment: async ({ message, credentialFulfillment }) => {
      const [credential] = credentialFulfillment[0].data.json.verifiableCredential
      if (!(await isGenuine(credential))) return false
      credentials.push(credential)
      ended.set(message.thid, 'stored')
      return true
    },
    handlePresentationAck: async ({ message }) => void ended.set(message.thid, 'acknowledged'),
  },
  Actor.Holder
)

const achievement = {
  id: 'https://academy.example/achievements/soldering',
  type: ['Achievement'],
  name: 'Soldering',
  description: 'Solders to IPC-A-610.',
  criteria: { narrative: 'A practical examination.' },
}
const draft = () => ({
  '@context': [W3C_CREDENTIALS, 'https://purl.imsglobal.org/spec/ob/v3p0/context-3.0.1.json'],
  id: `urn:uuid:${randomUUID()}`,
  type: ['VerifiableCredential', 'OpenBadgeCredential'],
  name: achievement.name,
  issuer: { id: me, type: ['Profile'], name: 'An academy' },
  issuanceDate: '2026-01-31T12:00:00Z',
  credentialSubject: { type: ['AchievementSubject'], achievement },
})
const output = { id: 'soldering', schema: 'https://purl.imsglobal.org/spec/ob/v3p0/', display: { title: { text: 'Soldering' } } }

const wanted = [
  {
    id: 'soldering',
    name: 'Soldering',
    constraints: {
      fields: [{ path: ['$.credentialSubject.achievement.id'], filter: { type: 'string', const: achievement.id } }],
    },
  },
]

async function verifyPresentation({ presentation, challenge }) {
  const checking = { presentation, challenge, suite: new Ed25519Signature2020(), documentLoader }
  const found = await vc.verify(checking)
  if (!found.verified) console.error(JSON.stringify(found, undefined, 1))
  return { result: found.verified, error: { name: 'unverified', description: String(found.error) } }
}

const asking = new Set() // invitations under which records are asked for before anything is issued
const shown = new Map() // how many records were shown in a thread, and verified, before something was issued

wallet.setUpFor(
  {
    getCredentialManifest: async ({ invitationId }) => ({
      issuerDid: me,
      issuerName: 'An academy',
      input: asking.has(invitationId) ? wanted : undefined,
      output: [{ outputDescriptor: output, verifiableCredential: draft() }],
    }),
    // The interpreter looks at no result, and so is told of a bad one by an error.
    verifyCredential: async (credential) => {
      if (!(await isGenuine(credential))) throw new Error('A record that was shown does not verify.')
      if (credential.credentialSubject.achievement.id !== achievement.id) throw new Error('Another record was asked for.')
      return { result: true }
    },
    verifyPresentation,
    credentialVerificationResult: async ({ result, thid, vcs }) => void shown.set(thid, result ? vcs.length : -1),
    // The subject is who applies for it.
    signCredential: async ({ vc: credential, message }) => {
      const subject = { id: message.attachments[0].data.json.holder, ...credential.credentialSubject }
      const named = { ...credential, credentialSubject: subject }
      return await vc.issue({ credential: named, suite: asserting, documentLoader })
    },
    handleIssuanceAck: async ({ message }) => void ended.set(message.thid, 'acknowledged'),
  },
  Actor.Issuer
)

wallet.setUpFor(
  {
    getPresentationDefinition: async () => ({ inputDescriptors: wanted }),
    verifyCredential: async (credential) => ({ result: await isGenuine(credential) }),
    verifyPresentation,
    credentialVerificationResult: async ({ result, thid }) => void ended.set(thid, result ? 'verified' : 'unverified'),
  },
  Actor.Verifier
)

// What it is told

const doing = {
  async did() {
    return me
  },

  // Answer an invitation; the thread.
  async answer({ invitation }) {
    const answer = await wallet.processMessage([invitation])
    return (await send(answer)).id
  },

  // Invite with a goal of the profile; to be issued something, maybe only after records were shown.
  async invite({ goal, records }) {
    const invitation = await wallet.createOOBInvitation(me, goal)
    if (records) asking.add(invitation.id)
    invitation.typ = 'application/didcomm-plain+json'
    return { url: `http://localhost:${port}/?_oob=${Buffer.from(JSON.stringify(invitation)).toString('base64url')}`, id: invitation.id }
  },

  // The thread of who answered an invitation.
  answered: ({ invitation }) =>
    eventually('answer to the invitation', () => {
      const found = [...threads].find(([, messages]) => messages[0].pthid === invitation)
      return found?.[0]
    }),

  // How many records were shown, and verified, before something was issued.
  async shown({ thread }) {
    return shown.get(thread) ?? 0
  },

  ended: ({ thread }) => eventually('end of the exchange', () => ended.get(thread)),
}

await serve(doing)
