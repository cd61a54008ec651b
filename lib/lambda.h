/*
 * lambda.h - lambda as a multiple of 2^-32, drawn or given (STREAM §2)
 */
#ifndef FMIX_LAMBDA_H
#define FMIX_LAMBDA_H

#include "context.h"
#include "words.h"

/* L of a given lambda, 0 … 1: rounded to the nearest multiple, ties to even. */
uint64_t fmix_lambda_round(double lambda);

/* L ~ Beta(alpha, alpha) of sample t. The key is of FMIX_DOMAIN_LAMBDA. */
uint64_t fmix_lambda_draw(fmix_context *context, const fmix_key *key, double alpha, uint64_t t);

/* L ~ Beta(alpha + 1, alpha), from L ~ Beta(alpha, alpha): L itself with probability lambda, else
 * 2^32 - L. */
uint64_t fmix_lambda_reformulate(const fmix_key *key, uint64_t t, uint64_t lambda);

#endif
