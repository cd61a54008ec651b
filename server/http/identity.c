#include "identity.h"
#include "access/client_key.h"
#include "connection.h"
#include "headers.h"

void identity_begin(identity *id, struct MHD_Connection *connection) {
    id->client = client_key_of_address(connection_address(connection));
}

static bool refuse(identity *id, int status, const char *challenge, const char *detail,
                   problem *p) {
    id->challenge = challenge;
    problem_add(p, status, "Authorization", "%s", detail);
    return false;
}

/* RFC 6750 §3. A detail never quotes the client's token. */
bool identity_admit(identity *id, struct MHD_Connection *connection, const server_state *s,
                    problem *p) {
    bool repeated;
    const char *sent = headers_only(connection, "Authorization", &repeated);
    auth_verdict verdict = auth_check(s->auth, sent, id->name);
    id->guarded = verdict != AUTH_OPEN;
    if (id->guarded && repeated) {
        id->name[0] = 0;
        return refuse(id, 400, "Bearer realm=\"fmixd\", error=\"invalid_request\"",
                      "Authorization is sent more than once", p);
    }
    switch (verdict) {
    case AUTH_OPEN:
        return true;
    case AUTH_KNOWN:
        id->client = client_key_of_name(id->name);
        return true;
    case AUTH_MISSING:
        return refuse(id, 401, "Bearer realm=\"fmixd\"",
                      sent ? "Authorization must have the form: Bearer TOKEN"
                           : "an access token is required, as Authorization: Bearer TOKEN",
                      p);
    case AUTH_UNKNOWN:
        break;
    }
    return refuse(id, 401, "Bearer realm=\"fmixd\", error=\"invalid_token\"", "unknown token", p);
}

void identity_share(identity *id, struct MHD_Connection *connection, const server_state *s,
                    const char *method, const char *methods) {
    bool repeated;
    const char *origin = headers_only(connection, "Origin", &repeated);
    const cors_request r = {method, repeated ? NULL : origin,
                            headers_find(connection, "Access-Control-Request-Method")};
    cors_answer(s->config->cors, &r, methods, &id->cors);
}
