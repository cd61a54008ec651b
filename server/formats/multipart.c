#include "multipart.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BOUNDARY_LINE (4 + MULTIPART_BOUNDARY) /* CRLF, two hyphens and the boundary */

typedef struct parser {
    const unsigned char *at, *end; /* what is not read yet */
    char line[BOUNDARY_LINE + 1];  /* begins with CRLF, which ends the content before it */
    size_t line_length;
    multipart *out;
    unsigned room; /* for parts */
    problem *p;
} parser;

static bool broken(parser *m, const char *why) {
    problem_add(m->p, 400, "body", "the multipart body %s", why);
    return false;
}

/* Of the part that is read now. */
static bool refuse(parser *m, int status, const char *why) {
    problem_add(m->p, status, "body", "part %u of the multipart body %s", m->out->count, why);
    return false;
}

/* ---- the boundary ---- */

/* RFC 2046 §5.1.1 */
static bool is_boundary(const char *boundary) {
    static const char marks[] = "'()+_,-./:=? ";
    size_t length = strlen(boundary);
    for (size_t i = 0; i < length; i++) {
        char c = boundary[i];
        if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
              strchr(marks, c)))
            return false;
    }
    return length > 0 && boundary[length - 1] != ' ';
}

static bool refuse_boundary(problem *p, const char *type, const char *why) {
    problem_add(p, 400, "Content-Type",
                "Content-Type is '%.120s', %s; send multipart/form-data; boundary=TEXT, as curl -F "
                "and browsers do",
                type, why);
    return false;
}

static bool read_boundary(const char *type, char out[MULTIPART_BOUNDARY + 1], problem *p) {
    field rest;
    field_parameter one;
    bool found = false;
    field_value(type, strlen(type), &rest);
    while (field_next(&rest, &one)) {
        if (!field_is(one.name, "boundary"))
            continue;
        if (found)
            return refuse_boundary(p, type, "which has two boundaries");
        found = true;
        if (!field_copy(&one, out, MULTIPART_BOUNDARY + 1) || !is_boundary(out))
            return refuse_boundary(
                p, type, "whose boundary is not of 1 to 70 letters, digits and '()+_,-./:=?");
    }
    if (rest.broken)
        return refuse_boundary(p, type, "whose parameters are not of the form ; name=value");
    return found ? true : refuse_boundary(p, type, "which has no boundary");
}

/* ---- lines ---- */

static bool begins(const parser *m, const char *bytes, size_t length) {
    return (size_t)(m->end - m->at) >= length && memcmp(m->at, bytes, length) == 0;
}

static void skip_blanks(parser *m) {
    while (m->at < m->end && (*m->at == ' ' || *m->at == '\t'))
        m->at++;
}

/* Reads what follows a boundary to the end of its line. *last: it was the last boundary. */
static bool read_boundary_end(parser *m, bool *last) {
    *last = begins(m, "--", 2);
    if (*last)
        m->at += 2;
    skip_blanks(m);
    if (begins(m, "\r\n", 2))
        m->at += 2;
    else if (!*last || m->at < m->end)
        return broken(m, m->at == m->end ? "ends within a boundary line; it may be truncated"
                                         : "has a line that begins with the boundary but goes on; "
                                           "the boundary must not be part of what is sent");
    if (*last && m->at < m->end)
        return broken(m, "goes on after the last boundary");
    return true;
}

/* The next boundary line, from its CRLF. NULL: there is none. */
static const unsigned char *find_line(const parser *m) {
    const unsigned char *at = m->at;
    while ((at = memchr(at, '\r', (size_t)(m->end - at))) != NULL) {
        if ((size_t)(m->end - at) < m->line_length)
            return NULL;
        if (memcmp(at, m->line, m->line_length) == 0)
            return at;
        at++;
    }
    return NULL;
}

/* ---- the headers of a part ---- */

/* Takes a line without its CRLF. */
static bool take_line(parser *m, const unsigned char *limit, field_text *out) {
    const unsigned char *from = m->at;
    while (m->at < limit && (*m->at == '\t' || (*m->at >= 0x20 && *m->at != 0x7f)))
        m->at++;
    *out = (field_text){(const char *)from, (size_t)(m->at - from)};
    if (limit - m->at < 2 && limit < m->end) {
        problem_add(m->p, 413, "body",
                    "part %u of the multipart body has headers of more than the %d bytes allowed",
                    m->out->count, MULTIPART_HEAD);
        return false;
    }
    if (m->at == m->end)
        return refuse(m, 400, "ends within its headers; the body may be truncated");
    if (!begins(m, "\r\n", 2))
        return refuse(m, 400,
                      "has a header line that does not end with CRLF, or has a control "
                      "character");
    m->at += 2;
    return true;
}

static bool read_name(parser *m, const field_parameter *one, multipart_part *part) {
    if (part->name[0])
        return refuse(m, 400, "has two names");
    if (!field_copy(one, part->name, sizeof part->name))
        return refuse(m, 400, "has a name of more than 31 characters");
    return part->name[0] ? true : refuse(m, 400, "has an empty name");
}

/* filename* is not to be sent (RFC 7578 §4.2), but some clients do; it only says that the part is a
 * file. */
static bool read_disposition(parser *m, field_text value, multipart_part *part) {
    field rest;
    field_parameter one;
    if (!field_is(field_value(value.at, value.length, &rest), "form-data"))
        return refuse(m, 400, "has a Content-Disposition other than form-data");
    while (field_next(&rest, &one)) {
        if (field_is(one.name, "name") && !read_name(m, &one, part))
            return false;
        if (field_is(one.name, "filename") && part->file.at)
            return refuse(m, 400, "has two filenames");
        if (field_is(one.name, "filename"))
            part->file = one.value;
        part->is_file = part->is_file || field_begins(one.name, "filename");
    }
    if (rest.broken)
        return refuse(m, 400, "has a Content-Disposition that is not form-data; name=\"NAME\"");
    return part->name[0] ? true : refuse(m, 400, "has no name");
}

static bool read_encoding(parser *m, field_text value) {
    return field_is(value, "binary") || field_is(value, "8bit") || field_is(value, "7bit")
               ? true
               : refuse(m, 415,
                        "has a Content-Transfer-Encoding other than binary, 8bit and 7bit; "
                        "send the bytes as they are");
}

static bool read_header(parser *m, field_text line, multipart_part *part) {
    const char *colon = memchr(line.at, ':', line.length);
    field_text name = {line.at, colon ? (size_t)(colon - line.at) : 0};
    if (!field_is_token(name))
        return refuse(m, 400,
                      "has a header line that is not NAME: VALUE; lines must not be folded");
    field rest;
    const char *behind = colon + 1;
    field_text all = {behind, line.length - name.length - 1};
    field_text value = field_value(all.at, all.length, &rest);
    if (field_is(name, "Content-Disposition"))
        return part->name[0] ? refuse(m, 400, "has two headers Content-Disposition")
                             : read_disposition(m, all, part);
    if (field_is(name, "Content-Transfer-Encoding"))
        return read_encoding(m, value);
    if (!field_is(name, "Content-Type"))
        return true; /* RFC 7578 §4.8: others are ignored */
    if (part->type.at)
        return refuse(m, 400, "has two headers Content-Type");
    part->type = value;
    return true;
}

static bool read_head(parser *m, multipart_part *part) {
    const unsigned char *limit = m->end - m->at > MULTIPART_HEAD ? m->at + MULTIPART_HEAD : m->end;
    field_text line;
    for (;;) {
        if (!take_line(m, limit, &line))
            return false;
        if (line.length == 0)
            return part->name[0] ? true : refuse(m, 400, "has no Content-Disposition");
        if (!read_header(m, line, part))
            return false;
    }
}

/* ---- */

static bool add_part(parser *m, multipart_part **out) {
    if (m->out->count == MULTIPART_PARTS) {
        problem_add(m->p, 413, "body", "the multipart body has more than the %d parts allowed",
                    MULTIPART_PARTS);
        return false;
    }
    if (m->out->count == m->room) {
        unsigned room = m->room ? 2 * m->room : 8;
        multipart_part *parts = realloc(m->out->parts, room * sizeof *parts);
        if (!parts) {
            problem_add(m->p, 500, NULL, "out of memory");
            return false;
        }
        m->out->parts = parts;
        m->room = room;
    }
    *out = &m->out->parts[m->out->count++];
    **out = (multipart_part){.length = 0};
    return true;
}

static bool read_part(parser *m) {
    multipart_part *part;
    if (!add_part(m, &part) || !read_head(m, part))
        return false;
    const unsigned char *stop = find_line(m);
    if (!stop)
        return broken(m, "has no boundary behind its last part; it may be truncated");
    part->bytes = m->at;
    part->length = (size_t)(stop - m->at);
    m->at = stop + m->line_length;
    return true;
}

bool multipart_read(const upload_body *body, multipart *out, problem *p) {
    char boundary[MULTIPART_BOUNDARY + 1];
    parser m = {.at = body->bytes, .end = body->bytes + body->length, .out = out, .p = p};
    bool last = false;
    *out = (multipart){.count = 0};
    if (!read_boundary(body->content_type ? body->content_type : "", boundary, p))
        return false;
    m.line_length = (size_t)snprintf(m.line, sizeof m.line, "\r\n--%s", boundary);
    if (begins(&m, "\r\n", 2))
        m.at += 2;
    if (!begins(&m, m.line + 2, m.line_length - 2))
        return broken(&m, "does not begin with the boundary that Content-Type names");
    m.at += m.line_length - 2;
    while (read_boundary_end(&m, &last) && !last)
        if (!read_part(&m))
            return false;
    if (p->status == 0 && out->count == 0)
        return broken(&m, "has no parts");
    return p->status == 0;
}

void multipart_free(multipart *m) {
    free(m->parts);
    *m = (multipart){.count = 0};
}

const unsigned char *multipart_peek(const upload_body *body) {
    static const char blank[] = "\r\n\r\n";
    size_t length = body->length < MULTIPART_HEAD ? body->length : MULTIPART_HEAD;
    for (size_t i = 0; i + sizeof blank - 1 <= length; i++)
        if (memcmp(body->bytes + i, blank, sizeof blank - 1) == 0)
            return body->bytes + i + sizeof blank - 1;
    return NULL;
}
