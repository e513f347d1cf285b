//go:build unix

package report

import (
	"bufio"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// A browser is a headless Chromium, spoken to through the pipes of its DevTools
// protocol.
type browser struct {
	t       *testing.T
	in      *os.File
	out     *bufio.Reader
	session string
	last    int
	// complaints are errors and warnings of the console, exceptions and requests for
	// anything but the page.
	complaints []string
}

// openPage opens a page in Chromium, or skips the test where there is none.
func openPage(t *testing.T, path string) *browser {
	t.Helper()
	program := ""
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome", "google-chrome-stable"} {
		if p, err := exec.LookPath(name); err == nil {
			program = p
			break
		}
	}
	if program == "" {
		t.Skip("there is no Chromium")
	}
	theirs, in, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	out, theirOut, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	// Processes of the browser may outlive the first one and write there still: what
	// cannot be removed is left to the system.
	profile, err := os.MkdirTemp("", "tfguard-browser-*") //nolint:usetesting // see above
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(profile) })
	cmd := exec.CommandContext(t.Context(), program, "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
		"--remote-debugging-pipe", "--user-data-dir="+profile, "--window-size=1280,1600", "about:blank")
	cmd.ExtraFiles = []*os.File{theirs, theirOut}
	cmd.WaitDelay = 5 * time.Second
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	theirs.Close()
	theirOut.Close()
	if err := out.SetReadDeadline(time.Now().Add(90 * time.Second)); err != nil {
		t.Fatal(err)
	}
	b := &browser{t: t, in: in, out: bufio.NewReaderSize(out, 1<<20)}
	t.Cleanup(func() {
		// It ends when its pipe does.
		in.Close()
		_ = cmd.Wait() // it was told to end
		out.Close()
	})
	target := b.call("Target.createTarget", map[string]any{"url": "about:blank"})
	b.session = b.call("Target.attachToTarget", map[string]any{"targetId": target["targetId"], "flatten": true})["sessionId"].(string)
	for _, domain := range []string{"Runtime", "Log", "Network", "Page"} {
		b.call(domain+".enable", nil)
	}
	b.call("Page.navigate", map[string]any{"url": "file://" + path})
	for range 200 {
		if b.eval(`document.readyState`) == "complete" && b.eval(`location.protocol`) == "file:" {
			return b
		}
		time.Sleep(50 * time.Millisecond)
	}
	t.Fatal("the page does not load")
	return nil
}

// call makes a call of the protocol and returns its result.
func (b *browser) call(method string, params map[string]any) map[string]any {
	b.t.Helper()
	b.last++
	message := map[string]any{"id": b.last, "method": method}
	if params != nil {
		message["params"] = params
	}
	if b.session != "" {
		message["sessionId"] = b.session
	}
	text, err := json.Marshal(message)
	if err != nil {
		b.t.Fatal(err)
	}
	if _, err := b.in.Write(append(text, 0)); err != nil {
		b.t.Fatal(err)
	}
	for {
		text, err := b.out.ReadBytes(0)
		if err != nil {
			b.t.Fatalf("%s: %v", method, err)
		}
		var answer struct {
			ID             int
			Method         string
			Params, Result map[string]any
			Error          map[string]any
		}
		if err := json.Unmarshal(text[:len(text)-1], &answer); err != nil {
			b.t.Fatal(err)
		}
		b.listen(answer.Method, answer.Params)
		if answer.ID == b.last {
			if answer.Error != nil {
				b.t.Fatalf("%s: %v", method, answer.Error)
			}
			return answer.Result
		}
	}
}

// listen keeps what the page should not cause.
func (b *browser) listen(method string, params map[string]any) {
	switch method {
	case "Runtime.exceptionThrown", "Log.entryAdded":
		b.complaints = append(b.complaints, fmt.Sprint(method, params))
	case "Runtime.consoleAPICalled":
		if kind := params["type"]; kind == "error" || kind == "warning" {
			b.complaints = append(b.complaints, fmt.Sprint(method, params))
		}
	case "Network.requestWillBeSent":
		url := params["request"].(map[string]any)["url"].(string)
		if !strings.HasPrefix(url, "file:") && !strings.HasPrefix(url, "data:") && url != "about:blank" {
			b.complaints = append(b.complaints, "a request for "+url)
		}
	}
}

// eval evaluates an expression in the page.
func (b *browser) eval(expression string) any {
	b.t.Helper()
	result := b.call("Runtime.evaluate", map[string]any{"expression": expression, "returnByValue": true})
	if e, ok := result["exceptionDetails"]; ok {
		b.t.Fatalf("%s: %v", expression, e)
	}
	return result["result"].(map[string]any)["value"]
}

// press presses and lets go of a key.
func (b *browser) press(key, code, text string, number int) {
	b.t.Helper()
	for _, kind := range []string{"keyDown", "keyUp"} {
		params := map[string]any{"type": kind, "key": key, "code": code, "windowsVirtualKeyCode": number}
		if kind == "keyDown" && text != "" {
			params["text"] = text
		}
		b.call("Input.dispatchKeyEvent", params)
	}
}

// picture saves what the page looks like, for who runs the tests with -artifacts.
func (b *browser) picture(name string) {
	b.t.Helper()
	data := b.call("Page.captureScreenshot", map[string]any{"captureBeyondViewport": true})["data"].(string)
	content, err := base64.StdEncoding.DecodeString(data)
	if err != nil {
		b.t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(b.t.ArtifactDir(), name), content, 0o600); err != nil {
		b.t.Fatal(err)
	}
}

// The page works in a browser, by keyboard alone, in light and dark, without a word on
// the console and without a request.
func TestHTMLInABrowser(t *testing.T) {
	path := filepath.Join(t.TempDir(), "report.html")
	if err := os.WriteFile(path, []byte(in(t, "html", everything(), Options{FailOn: Error, Version: "1.2.3"})), 0o600); err != nil {
		t.Fatal(err)
	}
	b := openPage(t, path)
	want := func(what, expression string, value any) {
		t.Helper()
		if got := b.eval(expression); got != value {
			t.Errorf("%s: %v, want %v", what, got, value)
		}
	}
	const findings = `[...document.querySelectorAll(".finding")].filter((e) => e.offsetParent !== null).length`
	const replays = `[...document.querySelectorAll(".replay")].filter((e) => e.offsetParent !== null).length`
	want("findings", findings, 6.0)
	want("replays", replays, 3.0)
	want("the style", `getComputedStyle(document.querySelector(".top")).borderTopWidth`, "5px")
	want("scripts and styles of names", `document.querySelectorAll("main b:not([class])").length - document.querySelectorAll(".remediation > b").length`, 0.0)

	b.press("/", "Slash", "/", 191)
	want("the key /", `document.activeElement.id`, "search")
	b.call("Input.insertText", map[string]any{"text": "CloudTrail locked"})
	want("findings of a search", findings, 1.0)
	want("replays of a search", replays, 0.0)
	want("the count", `document.getElementById("shown").textContent`, "1 of 15")
	b.call("Input.insertText", map[string]any{"text": " nothing of the kind"})
	want("what is said of nothing", `document.querySelector(".nothing").textContent`, "Nothing here meets the filter.")
	want("that it is seen", `document.querySelector(".nothing").hidden`, false)
	b.press("Escape", "Escape", "", 27)
	want("findings after Escape", findings, 6.0)

	b.press("Tab", "Tab", "", 9)
	want("the first chip", `document.activeElement.dataset.filter`, "error")
	b.press(" ", "Space", " ", 32)
	want("the chip is off", `document.activeElement.getAttribute("aria-pressed")`, "false")
	want("findings without errors", findings, 5.0)
	b.press(" ", "Space", " ", 32)
	want("findings with them", findings, 6.0)
	b.picture("light.png")

	ground := b.eval(`getComputedStyle(document.body).backgroundColor`)
	b.call("Emulation.setEmulatedMedia", map[string]any{"features": []any{map[string]any{"name": "prefers-color-scheme", "value": "dark"}}})
	dark := b.eval(`getComputedStyle(document.body).backgroundColor`)
	if dark == ground {
		t.Errorf("dark is light: %v", dark)
	}
	b.picture("dark.png")
	b.eval(`document.getElementById("theme").click()`)
	want("the button for light and dark", `getComputedStyle(document.body).backgroundColor`, ground)

	want("a width of its own", `document.documentElement.scrollWidth <= document.documentElement.clientWidth`, true)
	if len(b.complaints) > 0 {
		t.Errorf("the page complains: %s", strings.Join(b.complaints, "\n"))
	}
}
