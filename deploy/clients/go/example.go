// Mixes two batches here, by plans that fmixd draws, and has fmixd mix them; checks a golden digest.
// usage: go run example.go http://localhost:8080      (the standard library alone)
package main

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strconv"
	"time"
)

const (
	golden   = "/v1/masks.raw?shape=32x32&n=16&seed=7&dtype=bits"
	digest   = "526dc5be181b78f6856e2ff09924b2e4480db4a58d5947c69e3cb48581da134c"
	law      = "seed=7&method=fmix,mixup" // the first batch is mixed by FMix, the second by MixUp
	n        = 4
	elements = 8 * 8
	steps    = 2
	tries    = 10
)

var client = http.Client{Timeout: time.Minute} // of one try

// ask fetches a body, by POST if there is one to send; it asks again when it is told to.
func ask(target string, body []byte) ([]byte, error) {
	for try := 1; ; try++ {
		method := http.MethodGet
		if body != nil {
			method = http.MethodPost
		}
		request, err := http.NewRequest(method, target, bytes.NewReader(body))
		if err != nil {
			return nil, err
		}
		request.Header.Set("Content-Type", "application/octet-stream")
		reply, err := client.Do(request)
		if err != nil {
			return nil, err
		}
		got, err := io.ReadAll(reply.Body)
		reply.Body.Close()
		again := reply.StatusCode == http.StatusTooManyRequests || reply.StatusCode == http.StatusServiceUnavailable
		switch {
		case reply.StatusCode == http.StatusOK:
			return got, err
		case again && try < tries:
			seconds, err := strconv.Atoi(reply.Header.Get("Retry-After"))
			if err != nil {
				seconds = 1
			}
			time.Sleep(time.Duration(seconds) * time.Second)
		default:
			var problem struct{ Detail string } // stays empty where the body is no problem+json
			json.Unmarshal(got, &problem)
			return nil, fmt.Errorf("%s: %s %s", target, reply.Status, problem.Detail)
		}
	}
}

// numbers asks for little-endian elements and reads them into out, a pointer to an array.
func numbers(out any, target string, body []byte) error {
	got, err := ask(target, body)
	if err != nil {
		return err
	}
	if len(got) != binary.Size(out) {
		return fmt.Errorf("%s: %d bytes, not %d", target, len(got), binary.Size(out))
	}
	return binary.Read(bytes.NewReader(got), binary.LittleEndian, out)
}

func say(what string, good bool) error {
	if !good {
		return errors.New(what + ": WRONG")
	}
	fmt.Println(what + ": ok")
	return nil
}

func check(url string) error {
	plan := fmt.Sprintf("%s/v1/plans.raw?%s&shape=8x8&n=%d&steps=%d&dtype=f64&parts=", url, law, n, steps)
	var masks [steps][n][elements]float64 // a weight everywhere, for MixUp
	var pairing [steps][n]int64
	if err := numbers(&masks, plan+"masks", nil); err != nil {
		return err
	}
	if err := numbers(&pairing, plan+"pairing", nil); err != nil {
		return err
	}
	var x, there [n][elements]float64
	for i := 0; i < n*elements; i++ {
		x[i/elements][i%elements] = float64(i) / 256
	}
	var upload bytes.Buffer
	binary.Write(&upload, binary.LittleEndian, x)
	for step := 0; step < steps; step++ {
		target := fmt.Sprintf("%s/v1/mix.raw?%s&step=%d&layout=none&x_shape=%dx8x8&x_dtype=f64", url, law, step, n)
		if err := numbers(&there, target, upload.Bytes()); err != nil {
			return err
		}
		same := true
		for row := range x {
			for i, value := range x[row] {
				m := masks[step][row][i]
				here := m*value + (1-m)*x[pairing[step][row]][i]
				same = same && here == there[row][i] // nothing is rounded: weights have 32 bits, x has 8
			}
		}
		if err := say(fmt.Sprintf("batch %d", step), same); err != nil {
			return err
		}
	}
	got, err := ask(url+golden, nil)
	if err != nil {
		return err
	}
	sum := sha256.Sum256(got)
	return say("golden digest", hex.EncodeToString(sum[:]) == digest)
}

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: example URL")
		os.Exit(2)
	}
	if err := check(os.Args[1]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
