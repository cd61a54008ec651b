/* The table of parameters. */
#include "query.h"
#include "tensor/dtype.h"

/* The choices, each list in the order of its enum. */
static const char *const policies[] = {"alternate", "random", NULL};
static const char *const pairings[] = {"permutation", "derangement", "flip",      "roll", "none",
                                       "other_class", "same_class",  "neighbour", NULL};
static const char *const scopes[] = {"sample", "batch", "pair", NULL};
static const char *const switching[] = {"batch", "sample", NULL};
static const char *const frequencies[] = {"pixel", "extent", NULL};
static const char *const spectra[] = {"paper", "official", NULL};
static const char *const outputs[] = {"mask", "grey", NULL};
static const char *const boxes[] = {"clipped", "inside", NULL};
static const char *const switches[] = {"0", "1", NULL};
static const char *const mask_dtypes[] = {"f32", "u8", "bits", "f16", "f64", NULL};
static const char *const layouts[] = {"channels_first", "channels_last", "none", NULL};
static const char *const parts[] = {"mixed",  "pairing", "lambda",  "lambda_eff", "masks", "method",
                                    "labels", "rows",    "lengths", "dense",      NULL};
static const char *const members[] = {"npy", "png", NULL};
static const char *const pads[] = {"zero", "reflect", NULL};
static const char *const views[] = {"random", "center", "stretch", NULL};
static const char *const filters[] = {"bilinear", "bicubic", "nearest", NULL};

#define AT(field)          offsetof(query, field)
#define INTEGER(low, high) .kind = KIND_INTEGER, .least = (low), .most = (high)
#define REAL(from, to)     .kind = KIND_REAL, .low = (from), .high = (to)
#define SHAPE(sides, like) .kind = KIND_SHAPE, .least = 1, .most = (sides), .example = (like)
#define CHOICE(list)       .kind = KIND_CHOICE, .choices = (list)
#define CHOICE_OF(name)    .kind = KIND_CHOICE, .choice = (name)
#define SET(list)          .kind = KIND_SET, .choices = (list)
#define LIST(list)         .kind = KIND_LIST, .choices = (list)
#define REALS(from, to)    .kind = KIND_REALS, .low = (from), .high = (to)
#define RANGE(from, to)    .kind = KIND_RANGE, .low = (from), .high = (to)
#define DIGEST             .kind = KIND_DIGEST

const query_parameter query_table[QUERY_COUNT] = {
    [QUERY_SEED] = {"seed", INTEGER(0, UINT64_MAX), .group = GROUP_SEED, .offset = AT(seed),
                    .fallback = "0", .meaning = "seed of the random stream"},
    [QUERY_INDEX] = {"index", INTEGER(0, UINT64_MAX), .group = GROUP_INDEX, .offset = AT(index),
                     .fallback = "0",
                     .meaning =
                         "sample number of the first row; for a batch, the default is step*n"},
    [QUERY_STEP] = {"step", INTEGER(0, UINT64_MAX), .group = GROUP_BATCH, .offset = AT(step),
                    .fallback = "0", .meaning = "batch number"},
    [QUERY_STEPS] = {"steps", INTEGER(1, 1 << 20), .group = GROUP_STEPS, .offset = AT(steps),
                     .fallback = "1",
                     .meaning = "number of batches in the answer; if given, tensors have a leading "
                                "dimension of batches"},
    [QUERY_N] = {"n", INTEGER(1, FMIX_MAX_BATCH), .group = GROUP_SAMPLE, .offset = AT(n),
                 .fallback = "1",
                 .meaning = "number of rows (default: 1; for batches of a data set, 64)"},
    [QUERY_SHAPE] = {"shape", SHAPE(3, "32x32"), .group = GROUP_SHAPE, .offset = AT(shape),
                     .meaning = "shape of the mask, of one to three dimensions, such as 32x32"},
    [QUERY_METHOD] =
        {"method", LIST(NULL), .choice = fmix_method_name, .group = GROUP_METHOD,
         .offset = AT(methods), .fallback = "fmix",
         .meaning = "mixing method, or several separated by commas, of which each batch has one"},
    [QUERY_POLICY] = {"policy", CHOICE(policies), .group = GROUP_POLICY, .offset = AT(policy),
                      .fallback = "alternate",
                      .meaning =
                          "how a batch's method is chosen from several: in turn or at random"},
    [QUERY_WEIGHTS] = {"weights", LIST(NULL), .group = GROUP_POLICY, .offset = AT(weights),
                       .meaning = "policy=random, switch=sample: relative frequency of each "
                                  "method, such as 3,1 (default: equal)"},
    [QUERY_SWITCH] = {"switch", CHOICE(switching), .group = GROUP_POLICY, .offset = AT(switching),
                      .fallback = "batch", .later = true,
                      .meaning = "what has a method of its own, of several: each batch, by "
                                 "`policy`, or each row, drawn by `weights`"},
    [QUERY_PROB] =
        {"prob", REAL(0, 1), .group = GROUP_POLICY, .offset = AT(prob), .fallback = "1",
         .later = true,
         .meaning =
             "probability that a row is mixed; a row that is not keeps its values and its label"},
    [QUERY_ALPHA] =
        {"alpha", REALS(FMIX_ALPHA_MIN, FMIX_ALPHA_MAX), .group = GROUP_LAMBDA,
         .offset = AT(alphas), .fallback = "1",
         .meaning = "lambda is drawn from Beta(alpha, alpha): one alpha, or one for each method"},
    [QUERY_DELTA] = {"delta", REAL(0, FMIX_DELTA_MAX), .group = GROUP_MASK, .offset = AT(delta),
                     .fallback = "3", .meaning = "decay power of FMix's spectrum"},
    [QUERY_LAMBDA] = {"lambda", REAL(0, 1), .group = GROUP_LAMBDA, .offset = AT(lambda),
                      .meaning = "a fixed lambda instead of a drawn one"},
    [QUERY_REFORMULATE] = {"reformulate", CHOICE(switches), .group = GROUP_LAMBDA,
                           .offset = AT(reformulate), .fallback = "0",
                           .meaning = "1: lambda is drawn from Beta(alpha+1, alpha)"},
    [QUERY_SCOPE] =
        {"scope", CHOICE(scopes), .group = GROUP_SEED, .offset = AT(scope), .fallback = "sample",
         .meaning = "batch: every row of a batch has the lambda and mask of the first row; pair: "
                    "with pairing=flip, both rows of a pair have those of the first of the two"},
    [QUERY_SOFT] = {"soft", REAL(0, FMIX_SOFT_MAX), .group = GROUP_MASK, .offset = AT(soft),
                    .fallback = "0",
                    .meaning = "fraction of the mask that fades on each side of an FMix edge"},
    [QUERY_FREQUENCY] = {"frequency", CHOICE(frequencies), .group = GROUP_MASK,
                         .offset = AT(frequency), .fallback = "pixel",
                         .meaning = "extent: regions of an FMix mask follow its aspect ratio"},
    [QUERY_SPECTRUM] =
        {"spectrum", CHOICE(spectra), .group = GROUP_MASK, .offset = AT(spectrum),
         .fallback = "paper",
         .meaning = "official: the spectrum of FMix's released code instead of the paper's"},
    [QUERY_BOX] = {"box", CHOICE(boxes), .group = GROUP_MASK, .offset = AT(box),
                   .fallback = "clipped",
                   .meaning = "inside: CutMix's box lies inside the sample and is never clipped"},
    [QUERY_PAIRING] = {"pairing", CHOICE(pairings), .group = GROUP_PAIRING, .offset = AT(pairing),
                       .fallback = "permutation",
                       .meaning =
                           "how each row's partner is chosen; other_class, same_class: at random "
                           "among rows of the batch whose class differs or is equal; neighbour: at "
                           "random among the neighbours that the data set lists"},
    [QUERY_OUTPUT] = {"output", CHOICE(outputs), .group = GROUP_OUTPUT, .offset = AT(output),
                      .fallback = "mask",
                      .meaning = "grey: FMix's grey images before thresholding, 0 to 255"},
    [QUERY_DTYPE] = {"dtype", CHOICE(mask_dtypes), .group = GROUP_SHAPE, .offset = AT(dtype),
                     .fallback = "f32", .meaning = "element type of the masks"},
    [QUERY_COLUMNS] = {"columns", INTEGER(1, 4096), .group = GROUP_SHEET, .offset = AT(columns),
                       .meaning =
                           "png: masks per row of the sheet (default: a roughly square sheet)"},
    [QUERY_SCALE] = {"scale", INTEGER(1, 64), .group = GROUP_SHEET, .offset = AT(scale),
                     .fallback = "1",
                     .meaning = "png: width and height of a mask element in pixels"},
    [QUERY_LAYOUT] = {"layout", CHOICE(layouts), .group = GROUP_MIXED, .offset = AT(layout),
                      .meaning = "position of the channels: in x, required if x has three or more "
                                 "dimensions; for a data set, in the answer"},
    [QUERY_PARTS] = {"parts", SET(parts), .group = GROUP_PARTS, .offset = AT(parts),
                     .meaning = "tensors of the answer, separated by commas"},
    [QUERY_X_SHAPE] = {"x_shape", SHAPE(QUERY_RANK, "8x3x32x32"), .group = GROUP_UPLOAD,
                       .offset = AT(x_shape),
                       .meaning = "raw body: shape of x, rows first, such as 8x3x32x32"},
    [QUERY_X_DTYPE] = {"x_dtype", CHOICE_OF(dtype_name), .group = GROUP_UPLOAD,
                       .offset = AT(x_dtype), .meaning = "raw body: element type of x"},
    [QUERY_OUT_DTYPE] = {"out_dtype", CHOICE_OF(dtype_name), .group = GROUP_MIXED,
                         .offset = AT(out_dtype),
                         .meaning = "element type of mixed; from u8 to a floating type, values are "
                                    "divided by 255; an integer type limits values to its range"},
    [QUERY_CLASSES] =
        {"classes", LIST(NULL), .group = GROUP_MIXED, .offset = AT(classes),
         .meaning = "number of classes of y; with several heads y.NAME, one number for each"},
    [QUERY_SMOOTHING] = {"smoothing", REAL(0, 1), .group = GROUP_MIXED, .offset = AT(smoothing),
                         .fallback = "0", .meaning = "label smoothing, applied before mixing"},
    [QUERY_CORRECT] = {"correct", CHOICE(switches), .group = GROUP_MIXED, .offset = AT(correct),
                       .fallback = "1",
                       .meaning =
                           "0: labels are weighted by lambda instead of the mask's true mean"},
    [QUERY_EPOCH] = {"epoch", INTEGER(0, UINT64_MAX), .group = GROUP_EPOCH, .offset = AT(epoch),
                     .fallback = "0", .meaning = "number of the epoch, counted from 0"},
    [QUERY_SHUFFLE] = {"shuffle", CHOICE(switches), .group = GROUP_EPOCH, .offset = AT(shuffle),
                       .fallback = "0",
                       .meaning = "1: shuffle the samples, in another order each epoch"},
    [QUERY_CROP] = {"crop", INTEGER(0, 65536), .group = GROUP_EPOCH, .offset = AT(crop),
                    .fallback = "0",
                    .meaning = "pads each spatial dimension by this many elements at both ends and "
                               "takes a random window of the original size"},
    [QUERY_PAD] = {"pad", CHOICE(pads), .group = GROUP_EPOCH, .offset = AT(pad), .fallback = "zero",
                   .meaning = "how crop fills the padding"},
    [QUERY_FLIP] = {"flip", CHOICE(switches), .group = GROUP_FLIP, .offset = AT(flip),
                    .fallback = "0",
                    .meaning =
                        "1: mirrors a random half of the samples along the last spatial dimension"},
    [QUERY_SIZE] = {"size", SHAPE(2, "224 or 224x192"), .group = GROUP_VIEW, .offset = AT(size),
                    .meaning = "pictures: size of the view that each becomes, such as 224, or "
                               "224x192 for height x width; required for image sets and uploaded "
                               "pictures"},
    [QUERY_VIEW] =
        {"view", CHOICE(views), .group = GROUP_VIEW, .offset = AT(view), .fallback = "random",
         .later = true,
         .meaning =
             "pictures: what is resized to a view: a random window, the whole picture of which "
             "the middle is cut out, or the whole picture, whose shape changes"},
    [QUERY_AREA] = {"area", RANGE(FMIX_AREA_MIN, FMIX_AREA_MAX), .group = GROUP_VIEW,
                    .offset = AT(area), .fallback = "0.08,1", .later = true,
                    .meaning = "view=random: least and most area of a window, as shares of the "
                               "picture's area"},
    [QUERY_RATIO] = {"ratio", RANGE(FMIX_RATIO_MIN, FMIX_RATIO_MAX), .group = GROUP_VIEW,
                     .offset = AT(ratio), .fallback = "0.75,1.3333333333333333", .later = true,
                     .meaning = "view=random: least and most width / height of a window"},
    [QUERY_SHORT] = {"short", INTEGER(1, FMIX_MAX_PICTURE_SIDE), .group = GROUP_VIEW,
                     .offset = AT(shorter),
                     .meaning = "view=center: shorter side of the resized picture (default: 8/7 of "
                                "the view's shorter side, rounded down)"},
    [QUERY_FILTER] = {"filter", CHOICE(filters), .group = GROUP_VIEW, .offset = AT(filter),
                      .fallback = "bilinear", .later = true,
                      .meaning = "how pictures are resized; bilinear and bicubic give Pillow's "
                                 "pixels"},
    [QUERY_MEAN] =
        {"mean", REALS(-1e9, 1e9), .group = GROUP_EPOCH, .offset = AT(mean),
         .meaning = "mean to subtract, after u8 is divided by 255: one value, or one per channel"},
    [QUERY_STD] = {"std", REALS(1e-9, 1e9), .group = GROUP_EPOCH, .offset = AT(std),
                   .meaning =
                       "standard deviation to divide by after mean: one value, or one per channel"},
    [QUERY_BUCKET] = {"bucket", INTEGER(1, 1 << 20), .group = GROUP_EPOCH, .offset = AT(bucket),
                      .fallback = "50", .later = true,
                      .meaning =
                          "sequences: samples are sorted by length within windows of this many "
                          "batches, so that a batch has similar lengths; 1: whatever their length"},
    [QUERY_PAD_VALUE] =
        {"pad_value", REAL(-1e9, 1e9), .group = GROUP_EPOCH, .offset = AT(pad_value),
         .fallback = "0", .later = true,
         .meaning = "sequences: value after a row that is shorter than the longest of its batch"},
    [QUERY_RANK_OF] = {"rank", INTEGER(0, 65535), .group = GROUP_EPOCH, .offset = AT(rank),
                       .fallback = "0",
                       .meaning = "which of the `world` shares of the batch the answer holds"},
    [QUERY_WORLD] = {"world", INTEGER(1, 65536), .group = GROUP_EPOCH, .offset = AT(world),
                     .fallback = "1", .meaning = "number of ranks that share a batch"},
    [QUERY_DROP_LAST] = {"drop_last", CHOICE(switches), .group = GROUP_EPOCH,
                         .offset = AT(drop_last), .fallback = "0",
                         .meaning = "1: drop a short final batch"},
    [QUERY_DIGEST] = {"digest", DIGEST, .group = GROUP_EPOCH, .offset = AT(digest),
                      .meaning =
                          "digest of the data set; with it, caches may keep answers forever"},
    [QUERY_MEMBER] = {"member", CHOICE(members), .group = GROUP_SHARD, .offset = AT(member),
                      .fallback = "npy", .meaning = "file format of a sample in a shard"},
};
