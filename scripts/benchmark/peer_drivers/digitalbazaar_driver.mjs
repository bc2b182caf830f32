// Digital Bazaar's libraries under the benchmark's commands.
// The first line of standard input is what to work with, each further one "OPERATION TIMES"; each is answered,
// when done, with the seconds of CPU that it took.
import * as Ed25519Multikey from '@digitalbazaar/ed25519-multikey';
import {cryptosuite} from '@digitalbazaar/eddsa-rdfc-2022-cryptosuite';
import {DataIntegrityProof} from '@digitalbazaar/data-integrity';
import * as vc from '@digitalbazaar/vc';
import readline from 'node:readline';

const lines = readline.createInterface({input: process.stdin})[Symbol.asyncIterator]();
const next = async () => (await lines.next()).value;

const given = JSON.parse(await next());
const documents = {...given.contexts, ...given.documents};
const documentLoader = async url => {
  if(!(url in documents)) {
    throw new Error(`${url} is not at hand`);
  }
  return {contextUrl: null, documentUrl: url, document: documents[url]};
};
const key = await Ed25519Multikey.from(given.keyPair);
const signing = new DataIntegrityProof({signer: key.signer(), cryptosuite});
const verifying = new DataIntegrityProof({cryptosuite});

const issue = async () => vc.issue({
  credential: structuredClone(given.unsigned), suite: signing, documentLoader
});
const verify = async () => {
  const result = await vc.verifyCredential({
    credential: given.signed, suite: verifying, documentLoader
  });
  if(!result.verified) {
    throw result.error;
  }
};
const work = {issue, verify};

console.log(JSON.stringify(await issue()));
for(let line = await next(); line !== undefined; line = await next()) {
  const [operation, times] = line.split(' ');
  const began = process.cpuUsage();
  for(let done = 0; done < Number(times); done++) {
    await work[operation]();
  }
  const {user, system} = process.cpuUsage(began);
  console.log((user + system) / 1e6);
}
