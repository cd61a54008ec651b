/*
 * sd_notify.h - what systemd, or who speaks as it does, hands over and is told
 *
 * sd_notify(3) and sd_listen_fds(3) as documented there; without their variables in the
 * environment, nothing.
 */
#ifndef SUPERVISOR_H
#define SUPERVISOR_H

#include <stdbool.h>
#include <stdio.h>

/* A listening socket that was handed over, in *fd, or -1: there is none. False: what there is will
 * not do, as explained on `errors`. */
bool sd_notify_socket(int *fd, FILE *errors);

/* Lines of NAME=value, as "READY=1". */
void sd_notify_send(const char *lines);
/* What is told while settings are read anew; READY=1 ends it. */
void sd_notify_reloading(void);

#endif
