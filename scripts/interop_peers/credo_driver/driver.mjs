// A Credo agent that does what it is told: one JSON object a line on standard input, {id, do, with}, and one a line on
// standard output for each, {id, ok} or {id, error}. It is copied into the folder in which Credo is installed, as
// Node.js looks for packages beside the script.
//
// Usage: node driver.mjs PORT CONTEXTS, where CONTEXTS is a file of JSON-LD contexts by URL, so that none is fetched.
// With PORT 0 it listens nowhere, as a wallet on a phone does.

import { readFileSync } from 'node:fs'

// First: it registers the library that the next one reads when it is loaded.
import { askar } from '@openwallet-foundation/askar-nodejs'

import { AskarModule } from '@credo-ts/askar'
import {
  Agent,
  ConsoleLogger,
  DidsModule,
  KeyDidRegistrar,
  KeyDidResolver,
  LogLevel,
  PeerDidNumAlgo,
  PeerDidRegistrar,
  PeerDidResolver,
  W3cCredentialsModule,
  createPeerDidDocumentFromServices,
} from '@credo-ts/core'
import {
  DidCommAutoAcceptCredential,
  DidCommAutoAcceptProof,
  DidCommCredentialV2Protocol,
  DidCommDifPresentationExchangeProofFormatService,
  DidCommHandshakeProtocol,
  DidCommHttpOutboundTransport,
  DidCommJsonLdCredentialFormatService,
  DidCommMediatorPickupStrategy,
  DidCommMessageForwardingStrategy,
  DidCommModule,
  DidCommProofV2Protocol,
  DidCommRoutingService,
  DidCommWsOutboundTransport,
} from '@credo-ts/didcomm'
import { DidCommHttpInboundTransport, DidCommWsInboundTransport, agentDependencies } from '@credo-ts/node'
import { WebSocketServer } from 'ws'

import { eventually, serve } from './driven.mjs'

const [portText, contextsFile] = process.argv.slice(2)
const port = Number(portText)
const contexts = JSON.parse(readFileSync(contextsFile, 'utf8'))
const peerDids = {
  'did:peer:2': PeerDidNumAlgo.MultipleInceptionKeyWithoutDoc,
  'did:peer:4': PeerDidNumAlgo.ShortFormAndLongForm,
}

function documentLoader(agentContext) {
  const others = new W3cCredentialsModule().config.documentLoader(agentContext) // resolves DIDs
  return async (url) => {
    const document = contexts[url.split('#')[0]]
    return document ? { contextUrl: null, documentUrl: url, document } : others(url)
  }
}

// Plain requests and WebSockets on one port, as mediators have it.
const http = new DidCommHttpInboundTransport({ port })
const sockets = new WebSocketServer({ noServer: true })
const sending = [new DidCommHttpOutboundTransport(), new DidCommWsOutboundTransport()]

const agent = new Agent({
  config: { logger: new ConsoleLogger(LogLevel.warn), allowInsecureHttpUrls: true },
  dependencies: agentDependencies,
  modules: {
    askar: new AskarModule({
      askar,
      store: { id: 'interop', key: 'only a test', database: { type: 'sqlite', config: { inMemory: true } } },
    }),
    dids: new DidsModule({
      resolvers: [new KeyDidResolver(), new PeerDidResolver()],
      registrars: [new KeyDidRegistrar(), new PeerDidRegistrar()],
    }),
    w3cCredentials: new W3cCredentialsModule({ documentLoader }),
    didcomm: new DidCommModule({
      endpoints: port ? [`http://127.0.0.1:${port}`, `ws://127.0.0.1:${port}`] : undefined,
      transports: {
        inbound: port ? [http, new DidCommWsInboundTransport({ server: sockets })] : [],
        outbound: sending,
      },
      mediator: {
        autoAcceptMediationRequests: true,
        messageForwardingStrategy: DidCommMessageForwardingStrategy.QueueAndLiveModeDelivery,
      },
      connections: { autoAcceptConnections: true },
      credentials: {
        autoAcceptCredentials: DidCommAutoAcceptCredential.ContentApproved,
        credentialProtocols: [
          new DidCommCredentialV2Protocol({ credentialFormats: [new DidCommJsonLdCredentialFormatService()] }),
        ],
      },
      proofs: {
        autoAcceptProofs: DidCommAutoAcceptProof.ContentApproved,
        proofProtocols: [
          new DidCommProofV2Protocol({ proofFormats: [new DidCommDifPresentationExchangeProofFormatService()] }),
        ],
      },
    }),
  },
})

const didcomm = agent.modules.didcomm

const doing = {
  async make_did() {
    const made = await agent.dids.create({ method: 'key', options: { createKey: { type: { kty: 'OKP', crv: 'Ed25519' } } } })
    return made.didState.did
  },

  // Connections

  async accept_invitation({ url, did_method }) {
    didcomm.connections.config.peerNumAlgoForDidExchangeRequests = peerDids[did_method]
    const { connectionRecord } = await didcomm.oob.receiveInvitationFromUrl(url, { label: 'Credo' })
    await didcomm.connections.returnWhenIsConnected(connectionRecord.id)
    return connectionRecord.id
  },

  async invite({ handshake, did_method }) {
    const handshakeProtocols = [
      handshake.includes('/connections/') ? DidCommHandshakeProtocol.Connections : DidCommHandshakeProtocol.DidExchange,
    ]
    const more = did_method ? { invitationDid: await makePeerDid(did_method) } : {}
    const record = await didcomm.oob.createInvitation({ label: 'Credo', handshakeProtocols, ...more })
    const url = record.outOfBandInvitation.toUrl({ domain: `http://127.0.0.1:${port}` })
    return { url, id: record.id }
  },

  invited: ({ id }) =>
    eventually('connection at Credo', async () => {
      const found = await didcomm.connections.findAllByOutOfBandId(id)
      return found.find((one) => one.isReady)?.id
    }),

  async ping({ connection }) {
    await didcomm.connections.sendPing(connection, { responseRequested: true, withReturnRouting: false })
  },

  async features({ connection, version }) {
    const found = await didcomm.discovery.queryFeatures({
      connectionId: connection,
      protocolVersion: version === '1.0' ? 'v1' : 'v2',
      queries: [{ featureType: 'protocol', match: '*' }],
      awaitDisclosures: true,
    })
    return found.features.map((feature) => feature.id)
  },

  async hang_up({ connection }) {
    await didcomm.connections.hangup({ connectionId: connection })
  },

  ended: ({ connection }) =>
    eventually('end of the connection at Credo', async () => {
      const found = await didcomm.connections.findById(connection)
      return found?.theirDid === undefined || undefined
    }),

  // Mediation

  async use_mediator({ url }) {
    const { connectionRecord } = await didcomm.oob.receiveInvitationFromUrl(url, { label: 'Credo' })
    const mediation = await didcomm.mediationRecipient.requestAndAwaitGrant(
      await didcomm.connections.returnWhenIsConnected(connectionRecord.id)
    )
    await didcomm.mediationRecipient.setDefaultMediator(mediation)
    await doing.come_back()
  },

  async go_away() {
    await didcomm.mediationRecipient.stopMessagePickup()
    await Promise.all(sending.map((transport) => transport.stop()))
  },

  async come_back() {
    await Promise.all(sending.map((transport) => transport.start(agent.context)))
    await didcomm.mediationRecipient.initiateMessagePickup(undefined, DidCommMediatorPickupStrategy.PickUpV2LiveMode)
  },

  // Issue Credential

  async offer({ connection, credential, proof_type }) {
    const offered = await didcomm.credentials.offerCredential({
      connectionId: connection,
      protocolVersion: 'v2',
      autoAcceptCredential: DidCommAutoAcceptCredential.Always, // the request names another subject than the offer
      credentialFormats: {
        jsonld: { credential, options: { proofType: proof_type, proofPurpose: 'assertionMethod' } },
      },
    })
    return offered.threadId
  },

  async request_offered({ thread }) {
    const record = await credentialIn(thread, 'offer-received')
    await didcomm.credentials.acceptOffer({ credentialExchangeRecordId: record.id })
  },

  async decline_offer({ thread, reason }) {
    const record = await credentialIn(thread, 'offer-received')
    await didcomm.credentials.declineOffer({
      credentialExchangeRecordId: record.id,
      sendProblemReport: true,
      problemReportDescription: reason,
    })
  },

  async issued({ thread }) {
    await credentialIn(thread, 'done')
  },

  async stored({ thread }) {
    await credentialIn(thread, 'done')
  },

  // Present Proof

  async request_proof({ connection, definition }) {
    const asked = await didcomm.proofs.requestProof({
      connectionId: connection,
      protocolVersion: 'v2',
      proofFormats: { presentationExchange: { presentationDefinition: definition } },
    })
    return asked.threadId
  },

  async present({ thread }) {
    const record = await proofIn(thread, 'request-received')
    await didcomm.proofs.acceptRequest({ proofExchangeRecordId: record.id })
  },

  async acknowledged({ thread }) {
    await proofIn(thread, 'done')
  },

  async decline_proof({ thread, reason }) {
    const record = await proofIn(thread, 'request-received')
    await didcomm.proofs.declineRequest({
      proofExchangeRecordId: record.id,
      sendProblemReport: true,
      problemReportDescription: reason,
    })
  },

  async verified({ thread }) {
    const record = await proofIn(thread, 'done')
    if (record.isVerified !== true) throw new Error(`Credo did not verify it: ${record.errorMessage}`)
  },

  declined: ({ thread }) =>
    eventually('problem report at Credo', async () =>
      [await credential(thread), await proof(thread)].some((record) => record?.state === 'abandoned') || undefined
    ),
}

async function makePeerDid(method) {
  const routing = await agent.dependencyManager.resolve(DidCommRoutingService).getRouting(agent.context, {})
  const services = routing.endpoints.map((serviceEndpoint, index) => ({
    id: `#didcomm-${index}`,
    serviceEndpoint,
    recipientKeys: [routing.recipientKey],
    routingKeys: routing.routingKeys,
  }))
  const { didDocument, keys } = createPeerDidDocumentFromServices(services, true)
  const made = await agent.dids.create({ method: 'peer', didDocument, options: { numAlgo: peerDids[method], keys } })
  return made.didState.did
}

async function credential(threadId) {
  return (await didcomm.credentials.findAllByQuery({ threadId }))[0]
}

async function proof(threadId) {
  return (await didcomm.proofs.findAllByQuery({ threadId }))[0]
}

const credentialIn = (thread, state) => inState(() => credential(thread), state)
const proofIn = (thread, state) => inState(() => proof(thread), state)

function inState(find, state) {
  return eventually(`${state} at Credo`, async () => {
    const record = await find()
    if (record?.state === 'abandoned') throw new Error(`Credo gave the exchange up: ${record.errorMessage}`)
    return record?.state === state ? record : undefined
  })
}

await agent.initialize()
http.server?.on('upgrade', (request, socket, head) => {
  sockets.handleUpgrade(request, socket, head, (opened) => sockets.emit('connection', opened, request))
})
await serve(doing)
