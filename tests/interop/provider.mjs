// An oidc-provider for the tests in this folder, and a control endpoint that rotates its keys and says how it was asked.
// Call: node provider.mjs CONFIGURATION.json; what stands in there is said in oidc_provider.py.
// Node looks for modules from a script's own folder upwards; they are installed elsewhere, in the folder that
// INTEROP_MODULES names.
import { readFileSync } from 'node:fs';
import http from 'node:http';
import https from 'node:https';
import { createRequire } from 'node:module';
import path from 'node:path';
import { pathToFileURL } from 'node:url';

const modules = createRequire(path.join(process.env.INTEROP_MODULES, 'index.js'));
const { Provider, errors } = await import(pathToFileURL(modules.resolve('oidc-provider')).href);
const settings = JSON.parse(readFileSync(process.argv[2], 'utf8'));
const issuer = `http://127.0.0.1:${settings.port}`;
const calls = [];
const storage = new Map();
const grants = new Map();

// What a provider remembers, kept beside it: it lives on when the keys change, and with them the provider object.
class Storage {
  constructor(model) {
    this.model = model;
  }

  async upsert(id, payload, expiresIn) {
    const expires = expiresIn ? Date.now() + expiresIn * 1000 : Infinity;
    storage.set(`${this.model}:${id}`, { payload, expires });
    if (payload.grantId) grants.set(payload.grantId, [...(grants.get(payload.grantId) ?? []), `${this.model}:${id}`]);
  }

  async find(id) {
    const found = storage.get(`${this.model}:${id}`);
    return found && found.expires > Date.now() ? found.payload : undefined;
  }

  async findByUid(uid) {
    for (const [key, { payload }] of storage) {
      if (key.startsWith(`${this.model}:`) && payload.uid === uid) return payload;
    }
    return undefined;
  }

  async findByUserCode() {
    return undefined;
  }

  async consume(id) {
    storage.get(`${this.model}:${id}`).payload.consumed = Math.floor(Date.now() / 1000);
  }

  async destroy(id) {
    storage.delete(`${this.model}:${id}`);
  }

  async revokeByGrantId(grantId) {
    for (const key of grants.get(grantId) ?? []) storage.delete(key);
    grants.delete(grantId);
  }
}

let provider = create(settings.jwks);

function create(jwks) {
  const made = new Provider(issuer, {
    jwks,
    adapter: Storage,
    clients: settings.clients,
    scopes: ['openid', 'offline_access', ...settings.scopes],
    cookies: { keys: ['only for tests'] },
    clientAuthMethods: [
      'client_secret_basic', 'client_secret_post', 'private_key_jwt',
      'tls_client_auth', 'self_signed_tls_client_auth', 'none',
    ],
    enabledJWA: {
      idTokenSigningAlgValues: ['RS256', 'PS256', 'ES256'],
      clientAuthSigningAlgValues: ['RS256', 'PS256', 'ES256'],
      introspectionSigningAlgValues: ['RS256', 'PS256', 'ES256'],
    },
    features: {
      devInteractions: { enabled: false },
      clientCredentials: { enabled: true },
      revocation: { enabled: true },
      // The gateway asks about the tokens of other clients.
      introspection: { enabled: true, allowedPolicy: () => true },
      jwtIntrospection: { enabled: true },
      dPoP: { enabled: true },
      resourceIndicators: { enabled: true, getResourceServerInfo: resource, useGrantedResource: () => true },
      mTLS: {
        enabled: true,
        certificateBoundAccessTokens: true,
        selfSignedTlsClientAuth: true,
        tlsClientAuth: true,
        getCertificate: (ctx) => ctx.req.socket.getPeerX509Certificate?.(),
        certificateAuthorized: (ctx) => ctx.req.socket.authorized === true,
        certificateSubjectMatches: (ctx, property, expected) => (
          property === 'tls_client_auth_subject_dn'
          && ctx.req.socket.getPeerX509Certificate().subject === expected
        ),
      },
    },
    findAccount: (_, id) => ({ accountId: id, claims: () => ({ sub: id }) }),
    loadExistingGrant: consent,
    issueRefreshToken: () => true,
  });
  made.use(record);
  made.on('server_error', (_, error) => console.error(error));
  return made;
}

function resource(_, name) {
  const known = settings.resources[name];
  if (known === undefined) throw new errors.InvalidTarget();
  return known;
}

// Nobody sits before a screen here: whoever logs in agrees to everything.
async function consent(ctx) {
  const { client, session } = ctx.oidc;
  const grant = new ctx.oidc.provider.Grant({ clientId: client.clientId, accountId: session.accountId });
  grant.addOIDCScope(ctx.oidc.params.scope);
  for (const [name, { scope }] of Object.entries(settings.resources)) grant.addResourceScope(name, scope);
  await grant.save();
  return grant;
}

// Names, never values: which way a client took to say who it is.
async function record(ctx, next) {
  await next();
  calls.push({
    path: ctx.path,
    status: ctx.status,
    client: ctx.oidc?.entities?.Client?.clientId ?? null,
    authorization: ctx.get('authorization').split(' ')[0] || null,
    parameters: Object.keys(ctx.oidc?.params ?? {}).filter((name) => ctx.oidc.params[name] !== undefined),
    encrypted: ctx.req.socket.encrypted === true,
  });
}

async function body(request) {
  const chunks = [];
  for await (const chunk of request) chunks.push(chunk);
  return Buffer.concat(chunks).toString('utf8');
}

async function control(request, response) {
  if (request.method === 'POST' && request.url === '/control/jwks') {
    provider = create(JSON.parse(await body(request)));
    response.writeHead(204).end();
  } else if (request.url === '/control/calls') {
    response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(calls));
  } else {
    response.writeHead(404).end();
  }
}

async function answer(request, response) {
  try {
    if (request.url.startsWith('/control/')) await control(request, response);
    else if (request.url.startsWith('/interaction/')) {
      await provider.interactionFinished(request, response, { login: { accountId: settings.account } });
    } else await provider.callback()(request, response);
  } catch (error) {
    console.error(error);
    response.destroy();
  }
}

if (settings.tls) {
  const { key, certificate, authority, port } = settings.tls;
  const options = { key, cert: certificate, ca: authority, requestCert: true, rejectUnauthorized: false };
  https.createServer(options, answer).listen(port, '127.0.0.1');
}
http.createServer(answer).listen(settings.port, '127.0.0.1');
