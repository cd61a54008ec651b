/*
 * epoll_removal.h - lets a listener be removed from an epoll set twice
 *
 * MHD_quiesce_daemon removes the listener from the epoll set of each thread of the pool. A thread
 * that is awake removes the listener, too, as soon as it sees that the daemon is quiesced. The
 * second of both gets ENOENT, and libmicrohttpd 0.9.75 then aborts the process ("Failed to remove
 * listen FD from epoll set"). So this program defines epoll_ctl, which the library calls.
 */
#ifndef EPOLL_REMOVAL_H
#define EPOLL_REMOVAL_H

/* From now on, removing this descriptor where it is not is no error. -1: for none. */
void epoll_removal_allow_twice(int fd);

#endif
