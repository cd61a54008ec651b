/*
 * sd_notify.h - the protocols of systemd for sockets and notifications
 *
 * sd_notify(3) and sd_listen_fds(3) document them. Without their variables in the environment these
 * functions do nothing.
 */
#ifndef SD_NOTIFY_H
#define SD_NOTIFY_H

#include <stdbool.h>
#include <stdio.h>

/* Sets *fd to the listening socket from systemd, or to -1 if there is none. False: the socket
 * cannot be used, as explained on `errors`. */
bool sd_notify_socket(int *fd, FILE *errors);

/* Sends lines NAME=value, such as "READY=1". */
void sd_notify_send(const char *lines);
/* Reports the beginning of a reload. READY=1 reports its end. */
void sd_notify_reloading(void);

#endif
