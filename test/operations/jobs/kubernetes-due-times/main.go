// Command kubernetes-due-times prints the due times of the schedules in schedules.json in one year.
// The CronJob controller of Kubernetes uses the same library, github.com/robfig/cron/v3, and the
// same call: ParseStandard("TZ=" + timeZone + " " + schedule).
//
// The file due-times.json contains the output. To record the output again, run this in this folder:
//
//	go run . < schedules.json > due-times.json && npx prettier --write due-times.json
package main

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"time"
	// Contains the time zones, for a machine that has no time zone database.
	_ "time/tzdata"

	"github.com/robfig/cron/v3"
)

type given struct {
	From      time.Time  `json:"from"`
	Schedules []schedule `json:"schedules"`
	To        time.Time  `json:"to"`
}

type schedule struct {
	Schedule string `json:"schedule"`
	TimeZone string `json:"timeZone"`
}

// answer describes the due times of one schedule. A list of all due times would be too long to
// read. So the file contains the number of due times, a checksum of all due times, and at most 40
// due times near a change of the clocks.
type answer struct {
	Count    int      `json:"count"`
	Near     []string `json:"nearClockChanges"`
	Schedule string   `json:"schedule"`
	Sha256   string   `json:"sha256"`
	TimeZone string   `json:"timeZone"`
}

func main() {
	var input given
	if err := json.NewDecoder(os.Stdin).Decode(&input); err != nil {
		fail(err)
	}
	answers := []answer{}
	for _, one := range input.Schedules {
		found, err := dueTimes(one, input.From, input.To)
		if err != nil {
			fail(fmt.Errorf("%s (%s): %w", one.Schedule, one.TimeZone, err))
		}
		answers = append(answers, found)
	}
	output := json.NewEncoder(os.Stdout)
	output.SetIndent("", "  ")
	if err := output.Encode(answers); err != nil {
		fail(err)
	}
}

func dueTimes(one schedule, from time.Time, to time.Time) (answer, error) {
	parsed, err := cron.ParseStandard("TZ=" + one.TimeZone + " " + one.Schedule)
	if err != nil {
		return answer{}, err
	}
	zone, err := time.LoadLocation(one.TimeZone)
	if err != nil {
		return answer{}, err
	}
	all, near := []string{}, []string{}
	for at := parsed.Next(from); !at.IsZero() && at.Before(to); at = parsed.Next(at) {
		text := at.UTC().Format(time.RFC3339)
		all = append(all, text)
		if len(near) < 40 && clocksChange(at, zone) {
			near = append(near, text)
		}
	}
	sum := sha256.Sum256([]byte(strings.Join(all, "\n")))
	return answer{
		Count:    len(all),
		Near:     near,
		Schedule: one.Schedule,
		Sha256:   hex.EncodeToString(sum[:]),
		TimeZone: one.TimeZone,
	}, nil
}

// clocksChange returns whether the clocks change less than six hours before or after a time.
func clocksChange(at time.Time, zone *time.Location) bool {
	_, before := at.Add(-6 * time.Hour).In(zone).Zone()
	_, after := at.Add(6 * time.Hour).In(zone).Zone()
	return before != after
}

func fail(err error) {
	fmt.Fprintln(os.Stderr, err)
	os.Exit(1)
}
