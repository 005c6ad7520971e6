package com.example.orders.api;

import java.time.Duration;
import java.util.Comparator;
import java.util.TreeSet;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;

/**
 * Limits how many requests read a page of orders at the same time, because a page needs a lot of
 * memory. If several requests wait, the request with the smallest page is next. So waiting requests
 * for large pages do not delay a request for a small page. Each waiting request blocks a thread, so
 * this class also limits the number of waiting requests. If too many requests wait, this class
 * refuses the waiting request with the largest page.
 */
final class PageAdmission {
    private final ReentrantLock lock = new ReentrantLock();
    private final TreeSet<Waiting> queue = new TreeSet<>(
            Comparator.comparingInt((Waiting waiting) -> waiting.orders).thenComparingLong(waiting -> waiting.number));
    private final int maxWaiting;
    private final Duration wait;
    private int free;
    private long count;

    private enum State {
        WAITS,
        ADMITTED,
        REFUSED
    }

    private final class Waiting {
        private final int orders;
        private final long number = count++;
        private final Condition changed = lock.newCondition();
        private State state = State.WAITS;

        Waiting(int orders) {
            this.orders = orders;
        }

        void become(State next) {
            queue.remove(this);
            state = next;
            changed.signal();
        }
    }

    /**
     * @param places how many requests may read a page at the same time
     * @param maxWaiting how many requests may wait for a place
     * @param wait how long a request waits for a place before this class refuses the request
     */
    PageAdmission(int places, int maxWaiting, Duration wait) {
        this.free = places;
        this.maxWaiting = maxWaiting;
        this.wait = wait;
    }

    /**
     * Waits for a place. If the caller gets a place, it must call {@link #leave} later.
     *
     * @param orders how many orders the page may have
     * @return whether the caller has got a place
     */
    boolean enter(int orders) throws InterruptedException {
        lock.lock();
        try {
            if (free > 0) {
                free--;
                return true;
            }
            Waiting own = new Waiting(orders);
            queue.add(own);
            if (queue.size() > maxWaiting) {
                queue.last().become(State.REFUSED);
            }
            return await(own);
        } finally {
            lock.unlock();
        }
    }

    private boolean await(Waiting own) throws InterruptedException {
        try {
            long left = wait.toNanos();
            while (own.state == State.WAITS && left > 0) {
                left = own.changed.awaitNanos(left);
            }
        } catch (InterruptedException e) {
            if (own.state == State.ADMITTED) {
                leave();
            }
            throw e;
        } finally {
            queue.remove(own);
        }
        return own.state == State.ADMITTED;
    }

    /**
     * Gives the place of the caller to the waiting request with the smallest page. If no request
     * waits, the place becomes free.
     */
    void leave() {
        lock.lock();
        try {
            if (queue.isEmpty()) {
                free++;
            } else {
                queue.first().become(State.ADMITTED);
            }
        } finally {
            lock.unlock();
        }
    }

    /** Returns how many requests wait for a place. */
    int waiting() {
        lock.lock();
        try {
            return queue.size();
        } finally {
            lock.unlock();
        }
    }
}
