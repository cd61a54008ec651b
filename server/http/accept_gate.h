/*
 * accept_gate.h - ends what I/O threads accept, and tells when all that they accepted is open
 *
 * MHD_quiesce_daemon does not wait for the threads of the pool. One that is awake may still accept
 * a connection, or has accepted one and not opened it yet; nobody else knows of that connection. So
 * this program defines accept4, which the library calls.
 */
#ifndef ACCEPT_GATE_H
#define ACCEPT_GATE_H

#include <stdbool.h>
#include <sys/socket.h>

/* From now on, accept4 finds no connection at this listener. -1: at none. */
void accept_gate_close(int fd);

/* Returns true if a thread is in accept4, or has not opened the connection that it accepted. After
 * accept_gate_close, false stays false. A connection for which the library lacks memory counts
 * until its thread calls accept4 again. */
bool accept_gate_is_passed(void);

/* The calling thread has opened the connection that it accepted, if it did accept one. */
void accept_gate_opened(void);

/* accept4, also of a listener that is closed for others. */
int accept_gate_enter(int fd, struct sockaddr *peer, socklen_t *size, int flags);

#endif
