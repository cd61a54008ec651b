#!/bin/sh
# What fmixd draws, as PNG files, by curl alone. http://localhost:8080 in a browser shows the same with sliders.
# usage: preview.sh http://localhost:8080 FOLDER [PICTURE PICTURE]      (`make run` hosts the data set garments)
set -eu
if [ $# -ne 2 ] && [ $# -ne 4 ]; then
    echo 'usage: preview.sh URL FOLDER [PICTURE PICTURE]' >&2
    exit 2
fi
url=$1 folder=$2
mkdir -p "$folder"

draw() { # name, target, what else curl is told
    file=$folder/$1.png target=$2
    shift 2
    curl --fail-with-body --silent --show-error --retry 5 "$@" --output "$file" "$url$target" || {
        [ ! -e "$file" ] || cat "$file" >&2 # what the daemon has against it
        rm -f "$file"
        exit 1
    }
    echo "$file"
}

# A sheet of sixteen masks, four a row; the same of CutMix; masks that fade; masks of 1D and 3D samples.
draw masks '/v1/masks?shape=64x64&n=16&seed=7&columns=4&scale=2' -H 'Accept: image/png'
draw cutmix '/v1/masks.png?shape=64x64&n=16&seed=7&columns=4&scale=2&method=cutmix'
draw soft '/v1/masks.png?shape=64x64&n=16&seed=7&columns=4&scale=2&soft=0.2'
draw lines '/v1/masks.png?shape=128&n=16&seed=7&columns=1&scale=3'
draw slices '/v1/masks.png?shape=8x32x32&n=4&seed=7&columns=1&scale=2'

# A batch of a hosted data set: as it is, as it is trained on, and the masks of that.
batch='/v1/datasets/garments/batches/0.png?n=16&seed=7&shuffle=1&columns=4&scale=3'
draw plain "$batch&method=none"
draw batch "$batch&flip=1&crop=2"
draw batch-masks "$batch&flip=1&crop=2&parts=masks"

# Two pictures, mixed with one another. Without any of one's own, two of the hosted set.
if [ $# -eq 2 ]; then
    draw first '/v1/datasets/garments/batches/0.png?n=1&method=none'
    draw second '/v1/datasets/garments/batches/1.png?n=1&method=none'
    set -- "$url" "$folder" "$folder/first.png" "$folder/second.png"
fi
draw pictures '/v1/mix.png?size=224&view=stretch&method=fmix&pairing=roll&seed=7' -F "x=@$3" -F "x=@$4"
